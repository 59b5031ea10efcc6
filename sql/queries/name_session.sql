-- Names the session of a pooled connection for its next use, and so finds out whether the connection still works.
SELECT set_config('application_name', %(application_name)s, false);
