"""Rate limits: a token bucket and a sliding window per bucket, all buckets of a request in one atomic trip to Redis."""
