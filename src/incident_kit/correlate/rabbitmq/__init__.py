"""RabbitMQ connections: their intervals, whose they are, and when a node was down."""
