"""The ways out. Each module delivers one notification, says what happened in one line, or raises ChannelError."""
