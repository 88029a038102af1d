"""The 1688 open platform: the seller's and the authorised products of one account."""
