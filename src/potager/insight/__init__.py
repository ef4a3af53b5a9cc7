"""Business data and insights: strategic questions answered from governed metrics."""
