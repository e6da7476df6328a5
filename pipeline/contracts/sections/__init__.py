"""Settings by stage; `pipeline.contracts.settings` joins them."""
