"""The filter language, typed in the dashboard and after `agentguard events --filter`."""
