"""What this machine can run, and what to install for what is missing. Downloads nothing, writes nothing."""
