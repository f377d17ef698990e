"""A RabbitMQ 4.0 cluster of its own beside the lab's 3.10: played with clients of five protocols, recorded, scored."""
