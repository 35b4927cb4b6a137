"""Sets that the user already has: CUB-200-2011, and YouTube Birds by its lists."""
