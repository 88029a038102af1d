"""The sync engine's limits. Times are seconds."""

from config.env import integer, text

SYNC_LEASE_SECONDS = integer("SYNC_LEASE_SECONDS", 30, minimum=2, maximum=600)
SYNC_SLICE_SECONDS = integer("SYNC_SLICE_SECONDS", 15, minimum=1, maximum=60)
# Where others wait, a slice makes room after this long; for a more urgent task after the batch in hand.
SYNC_TURN_SECONDS = integer("SYNC_TURN_SECONDS", 1, minimum=0, maximum=60)
SYNC_OVERLAP_SECONDS = integer("SYNC_OVERLAP_SECONDS", 300, minimum=0)
# A batch that lost its worker this often is set aside with its reason; the job goes on.
SYNC_MAX_BATCH_CRASHES = integer("SYNC_MAX_BATCH_CRASHES", 3, minimum=1)
# A source that fails this often in a row on one batch ends the job, resumable.
SYNC_MAX_BATCH_FAILURES = integer("SYNC_MAX_BATCH_FAILURES", 10, minimum=1)
SYNC_BATCH_SIZE_DEFAULT, SYNC_BATCH_SIZE_MAX = 100, 1000
SYNC_MAX_WORKERS_DEFAULT, SYNC_MAX_WORKERS_MAX = 5, 32
SYNC_DELIST_LIMIT_PERCENT = 20
SYNC_REJECT_LIMIT_PERCENT = 50
# How long somebody who asks whether a sync would work waits for its source.
SYNC_VALIDATE_SECONDS = integer("SYNC_VALIDATE_SECONDS", 15, minimum=1, maximum=60)
# How long a lost bell may stay unnoticed before the sweeper rings again.
TASK_RING_AGAIN_SECONDS = integer("TASK_RING_AGAIN_SECONDS", 15, minimum=1)
# An owner's webhooks; each multiplies the deliveries of an event.
WEBHOOKS_PER_USER = integer("WEBHOOKS_PER_USER", 20, minimum=1)
# How long what sources answered is kept for a replay (0 = not at all), and how many versions of a product.
SYNC_RAW_DAYS = integer("SYNC_RAW_DAYS", 30, maximum=3650)
SYNC_RAW_VERSIONS = integer("SYNC_RAW_VERSIONS", 3, minimum=1, maximum=100)
# How long it is kept what a walk saw that was stopped, failed or held and that nobody resumed.
SYNC_SEEN_DAYS = integer("SYNC_SEEN_DAYS", 14, minimum=1)
# So many days before a source must be authorised again somebody is told.
SYNC_AUTHORIZATION_WARN_DAYS = text("SYNC_AUTHORIZATION_WARN_DAYS", "30,14,7,1")
