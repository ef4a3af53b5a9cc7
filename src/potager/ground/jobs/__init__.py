"""Work in the background: with progress, cancel, retry, and a page that shows it; and what is done on a schedule.

Words: a *job* is one piece of work asked for by somebody; a *kind* is the function that does it; a *tick* is
something short that the worker does every so often. The queue itself is django-tasks' in the database; a job's
own row is the truth, so a worker that is killed loses nothing: its job is taken up again.
"""
