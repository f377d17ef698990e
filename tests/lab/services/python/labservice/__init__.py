"""A small service that logs to two sinks and talks AMQP; runs in a pod of the lab.

Only the standard library, the real logging libraries and pika: it must start fast from a
read-only mount. Everything it does is written to a private journal, the lab's truth.
"""
