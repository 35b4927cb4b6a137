"""A board of one's own: teams hand in over HTTP, the server scores, the team asks to publish."""
