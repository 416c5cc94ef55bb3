"""The download: where it may go, how long it may take, what its headers say."""
