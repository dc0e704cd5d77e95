"""The way to and from the control room: messages, outbox, link, courier, inbox."""
