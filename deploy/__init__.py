"""Where Groundswell runs: the embedded stack of one machine in `deploy.local`."""
