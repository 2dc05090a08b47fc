"""Is the blood count taken when it is due?"""
