-- One row per month ahead, 0 to 24.
select months, survival, low, high, as_of from lifeline_curve where product_id = $product_id order by months;
