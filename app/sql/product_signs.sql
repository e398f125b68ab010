-- One row per month: signs of life of the product.
select month, n_documents, n_releases, n_commits, n_mentions, state from activity where product_id = $product_id order by month;
