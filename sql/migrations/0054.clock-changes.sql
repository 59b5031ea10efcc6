-- depends: 0053.jumps-of-the-past
-- Habits move by an hour when clocks change: which windows were judged by moved habits, and which raised no alert for it.

ALTER TABLE alert_windows ADD COLUMN moved_hours smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN alert_windows.moved_hours IS 'hours by which clocks had just gone forward (negative: back), if the habits of keyword and traffic were moved by them to judge the window; 0: not moved';

ALTER TABLE suppressed_windows DROP CONSTRAINT suppressed_windows_reason_check;
ALTER TABLE suppressed_windows ADD CONSTRAINT suppressed_windows_reason_check
    CHECK (reason IN ('few authors', 'calendar', 'clock change'));
COMMENT ON COLUMN suppressed_windows.reason IS 'few authors: 1.25 times the estimated authors would not be an anomaly; calendar: it was planned; clock change: usual by the habits of an hour later or earlier, just after clocks changed';
