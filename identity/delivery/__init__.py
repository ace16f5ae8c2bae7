"""On an operator's side: from what the service hands out to a network's message centre."""
