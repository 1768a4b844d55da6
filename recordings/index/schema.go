package index

// applicationID marks the file as an index of Sightline ("Slix"), as SQLite's
// PRAGMA application_id does.
const applicationID = 0x536c6978

// migrations returns what brings a database from version i to i+1. A step that was
// released is never changed: another is added.
func migrations() []string {
	return []string{schema1}
}

// schema1 is described in docs/design/index.md. Times are microseconds since the
// epoch, lengths microseconds, sizes bytes.
//
// segments is clustered by what ranges are asked for and holds nothing long; the
// fragments, 3 KB a row, are in a table of their own that grows at its end.
const schema1 = `
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE directories (
	key  INTEGER PRIMARY KEY,
	id   TEXT NOT NULL UNIQUE,
	path TEXT NOT NULL -- '': not bound
) STRICT;

CREATE TABLE streams (
	key       INTEGER PRIMARY KEY,
	camera    TEXT NOT NULL,
	rendition TEXT NOT NULL,
	UNIQUE (camera, rendition)
) STRICT;

CREATE TABLE formats (
	key      INTEGER PRIMARY KEY,
	video    TEXT NOT NULL,
	width    INTEGER NOT NULL,
	height   INTEGER NOT NULL,
	audio    TEXT NOT NULL,
	rate     INTEGER NOT NULL,
	channels INTEGER NOT NULL,
	signed   INTEGER NOT NULL,
	UNIQUE (video, width, height, audio, rate, channels, signed)
) STRICT;

CREATE TABLE segments (
	stream     INTEGER NOT NULL,
	generation INTEGER NOT NULL,
	start      INTEGER NOT NULL,
	length     INTEGER NOT NULL,
	flags      INTEGER NOT NULL, -- 1: open, 2: tombstone
	dir        INTEGER NOT NULL,
	format     INTEGER NOT NULL,
	init       INTEGER NOT NULL,
	bytes      INTEGER NOT NULL,
	clock      INTEGER NOT NULL, -- nanoseconds
	gaps       INTEGER NOT NULL, -- how many rows in gaps
	origin     TEXT,             -- NULL: live
	before     TEXT,             -- NULL: nothing is missing before
	path       TEXT,             -- NULL: the usual one
	fragments  INTEGER,          -- key in fragments, NULL: none
	PRIMARY KEY (stream, generation, start)
) STRICT, WITHOUT ROWID;

CREATE INDEX segments_flags ON segments (flags) WHERE flags <> 0;

CREATE TABLE fragments (
	key  INTEGER PRIMARY KEY,
	data BLOB NOT NULL
) STRICT;

CREATE TABLE gaps (
	stream     INTEGER NOT NULL,
	start      INTEGER NOT NULL, -- of the segment after it
	generation INTEGER NOT NULL,
	number     INTEGER NOT NULL,
	begin      INTEGER NOT NULL,
	till       INTEGER NOT NULL,
	cause      TEXT NOT NULL,
	PRIMARY KEY (stream, start, generation, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE totals ( -- of what has no tombstone
	stream     INTEGER NOT NULL,
	generation INTEGER NOT NULL,
	dir        INTEGER NOT NULL,
	segments   INTEGER NOT NULL,
	bytes      INTEGER NOT NULL,
	PRIMARY KEY (stream, generation, dir)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
	camera TEXT NOT NULL,
	start  INTEGER NOT NULL,
	id     TEXT NOT NULL UNIQUE,
	till   INTEGER NOT NULL,
	type   TEXT NOT NULL,
	text   TEXT NOT NULL,
	PRIMARY KEY (camera, start, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE locks (
	id     TEXT PRIMARY KEY,
	camera TEXT NOT NULL,
	start  INTEGER NOT NULL,
	till   INTEGER NOT NULL,
	name   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pauses (
	camera TEXT NOT NULL,
	start  INTEGER NOT NULL,
	till   INTEGER NOT NULL, -- 0: no end yet
	who    TEXT NOT NULL,
	PRIMARY KEY (camera, start)
) STRICT, WITHOUT ROWID;
`
