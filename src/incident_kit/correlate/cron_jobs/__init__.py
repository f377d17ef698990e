"""CronJobs: when a run was due, and which runs there were."""
