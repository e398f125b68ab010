"""Heavy stages on several processes or machines, by Prefect's task runners on Dask or Ray.

    writer: cut into shards (pure) -> Parquet on the exchange -> map over the shards -> merge each result once -> sweep
    worker: read its shard from the exchange -> tag or fetch -> write the result under the shard's id, whole or not at all

Only paths and small plain values travel with a task. A result is merged row by row where the store still wants the row, so that it
makes no difference how often it is offered; what a killed run left on the exchange is merged by the next. What a cluster does
not bring, for whatever reason, is done by the writer's own process afterwards.
"""
