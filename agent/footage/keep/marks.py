"""The storage class of each segment, beside the table of segments and never in it.

What is held and what an incident shows is said by files of their own; a class that was stored with the segment could
disagree with them. So it is derived whenever the table is opened, lies in memory, and follows each change at the cost
of the segments that the change touches. Only what is protected has a mark: everything else is rolling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.footage.keep.retention import StorageClass

if TYPE_CHECKING:
    import sqlite3

    from agent.footage.store.stretch import Stretch

SCHEMA = """
CREATE TEMP TABLE mark (seq INTEGER PRIMARY KEY, class INTEGER NOT NULL);
CREATE INDEX temp.mark_of_class ON mark (class, seq);
CREATE TEMP TABLE total (class INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);
INSERT INTO total SELECT 0, coalesce(sum(bytes), 0) FROM segment;
INSERT INTO total VALUES (1, 0), (2, 0);
CREATE TEMP TRIGGER segment_added AFTER INSERT ON main.segment BEGIN
    UPDATE total SET bytes = bytes + NEW.bytes WHERE class = 0;
END;
CREATE TEMP TRIGGER segment_grown AFTER UPDATE OF bytes ON main.segment BEGIN
    UPDATE total SET bytes = bytes + NEW.bytes - OLD.bytes
        WHERE class = coalesce((SELECT class FROM mark WHERE seq = NEW.seq), 0);
END;
CREATE TEMP TRIGGER segment_going BEFORE DELETE ON main.segment BEGIN
    DELETE FROM mark WHERE seq = OLD.seq;
    UPDATE total SET bytes = bytes - OLD.bytes WHERE class = 0;
END;
CREATE TEMP TRIGGER marked AFTER INSERT ON mark BEGIN
    UPDATE total SET bytes = bytes - (SELECT bytes FROM segment WHERE seq = NEW.seq) WHERE class = 0;
    UPDATE total SET bytes = bytes + (SELECT bytes FROM segment WHERE seq = NEW.seq) WHERE class = NEW.class;
END;
CREATE TEMP TRIGGER unmarked AFTER DELETE ON mark BEGIN
    UPDATE total SET bytes = bytes - (SELECT bytes FROM segment WHERE seq = OLD.seq) WHERE class = OLD.class;
    UPDATE total SET bytes = bytes + (SELECT bytes FROM segment WHERE seq = OLD.seq) WHERE class = 0;
END;
"""
TOUCHED = """
FROM segment WHERE boot = ?1 AND start_s BETWEEN
    coalesce((SELECT max(start_s) FROM segment WHERE boot = ?1 AND start_s <= ?2), ?2) AND ?3 AND end_s >= ?2
"""
"""Those of one boot do not overlap: nothing before the last that begins by `?2` can reach into it."""
CLEAR = f"DELETE FROM mark WHERE seq IN (SELECT seq {TOUCHED})"  # noqa: S608 - our own words
OLDEST_ROLLING = """
SELECT segment.seq FROM segment LEFT JOIN mark USING (seq)
WHERE mark.seq IS NULL AND segment.seq >= ? AND closed ORDER BY segment.seq LIMIT 1
"""
OLDEST_MARKED = """
SELECT mark.seq FROM mark JOIN segment USING (seq) WHERE class = ? AND closed ORDER BY mark.seq LIMIT 1
"""
NONE: frozenset[Stretch] = frozenset()


class Marks:
    """The classes over one connection to the table; whoever calls holds the table's lock."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._kept: dict[StorageClass, frozenset[Stretch]] = {}
        self._of_boot: dict[str, list[tuple[StorageClass, Stretch]]] = {}
        self._rolling_from = 0
        """No segment before this one is rolling: what is held at the old end is not walked over each time."""
        db.executescript(SCHEMA)

    def protect(self, kept: dict[StorageClass, frozenset[Stretch]]) -> None:
        """Let these stretches say what is protected, in place of those that did so far."""
        if kept == self._kept:
            return
        changed = {stretch for of in StorageClass for stretch in kept.get(of, NONE) ^ self._kept.get(of, NONE)}
        self._kept, self._of_boot = dict(kept), {}
        for kept_for, stretches in kept.items():
            for stretch in stretches:
                self._of_boot.setdefault(stretch.boot, []).append((kept_for, stretch))
        self._db.execute("BEGIN")
        for stretch in changed:
            self.look_at(stretch.boot, stretch.start_s, stretch.end_s)
        self._db.execute("COMMIT")

    def look_at(self, boot: str, start_s: float, end_s: float) -> None:
        """Mark what lies between these moments of a boot anew."""
        seq, first_s, last_s = self._db.execute(
            f"SELECT min(seq), min(start_s), max(end_s) {TOUCHED}", (boot, start_s, end_s)
        ).fetchone()
        if seq is None:
            return
        self._db.execute(CLEAR, (boot, start_s, end_s))
        self._rolling_from = min(self._rolling_from, seq)
        kept = (one for one in self._of_boot.get(boot, ()) if one[1].start_s <= last_s and one[1].end_s >= first_s)
        for kept_for, stretch in sorted(kept, key=lambda one: -one[0]):  # the higher class counts: it comes first
            self._db.execute(
                f"INSERT OR IGNORE INTO mark SELECT seq, ?4 {TOUCHED}",
                (boot, max(stretch.start_s, first_s), min(stretch.end_s, last_s), int(kept_for)),
            )

    def clear(self, seq: int) -> None:
        """It is rolling."""
        self._db.execute("DELETE FROM mark WHERE seq = ?", (seq,))
        self._rolling_from = min(self._rolling_from, seq)

    def oldest(self, kept_for: StorageClass) -> int | None:
        """The first complete segment of this class, by its place in the order of recording."""
        if kept_for is StorageClass.ROLLING:
            row = self._db.execute(OLDEST_ROLLING, (self._rolling_from,)).fetchone()
            self._rolling_from = self._rolling_from if row is None else row[0]
        else:
            row = self._db.execute(OLDEST_MARKED, (int(kept_for),)).fetchone()
        return None if row is None else int(row[0])

    def total_bytes(self, kept_for: StorageClass) -> int:
        """What all segments of this class hold."""
        (total,) = self._db.execute("SELECT bytes FROM total WHERE class = ?", (int(kept_for),)).fetchone()
        return int(total)
