-- A neurodex store, version 6: the maximum activation of every neuron of one network on every image of one set.
-- This file is its only definition. SQLite 3.38 or newer (STRICT tables, json_each); no extension is needed to read a store.
--
-- Written:   PRAGMA journal_mode=TRUNCATE, synchronous=FULL; a block, its images and its skipped files in one transaction.
-- Published: PRAGMA journal_mode=DELETE, ANALYZE: one plain file, which opens read-only anywhere.
-- Truth:     image, skipped_image, attribute, activation_block, mean_block. Everything derived from them (neuron_statistics,
--            top_list) covers the images with id < meta.derived_through, and can be made again from the blocks.
-- Kept:      explanation, cam_head. Made by asking, one transaction each; removing them loses time, not facts. thumbnail: so that a store can
--            be looked at without its images; no answer reads it.
-- Checksums: CRC-32C. Of blocks it is that of their bytes; of a row of image, neuron_statistics, top_list, run, skipped_image,
--            explanation, cam_head, thumbnail and attribute that of its other columns in order, and of meta, model, layer and class one of all: an integer or a double is
--            8 bytes, little-endian; text and blobs are their length as an integer, then their bytes; NULL is the length -1. Whatever answers
--            reads checks first. label is covered by the images. Under none: meta.derived_through and meta.removed, which have to agree
--            with the images and lists that are there, activation_block.value_max, which has to be its values', and sqlite_stat1.
-- Objects:   what is defined here and no more; a file with another table, index, view or trigger is refused.
-- Order:     stronger first, ties by image id; NaN is kept in blobs, counted, and never listed; -0 equals 0.

PRAGMA page_size = 16384;             -- 5 rows of 640 lanes with 1-byte positions, or 4 with 2-byte ones: no row overflows a page
PRAGMA application_id = 1313101873;   -- 0x4E445831, 'NDX1'
PRAGMA user_version = 6;

-- Facts of the whole file: block_images, neurons, means, top_count, byte_order, checksum, derived_through, preprocessing and its hash;
-- images_folder (which relative paths of images start from) and store_folders (where the store stood when it was written: a JSON array, the last one last);
-- removed (how many image ids are no more), planned (how many images there are to be, from a run's start until one is done), shard (3/16, of a part of a dataset), output (of the model, if not its first), precision
-- (of its convolutions, if not float32), label_source (where labels of images added later come from: folders, none, or a file's full
-- path), record (post or pre: what was recorded of activation functions) layers (the patterns that chose them, as a JSON array) and answer
-- (softmax or sigmoid: how the file makes probabilities of the scores that are recorded) and thumbnails (the longest side, in pixels, of
-- those that are made of images added later) where there is something to say. description_checksum is of all other keys but derived_through, removed and planned, by
-- key (the key, the number of its value's type in SQLite, the value), then of model, of layer by ordinal, and of class by id, column for
-- column. In version 3 it was of block_images, neurons, means, top_count, preprocessing, its hash, shard, output, the facts of model, layer
-- and class, and precision if there; and schema_checksum was of the definitions below, which are compared with these since version 4.
CREATE TABLE meta(
    key   TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- Who wrote to this file, when and how; one row for each time it was opened for writing.
CREATE TABLE run(
    id             INTEGER PRIMARY KEY,
    tool_version   TEXT NOT NULL,
    started        TEXT NOT NULL,      -- ISO 8601, UTC
    finished       TEXT,
    status         TEXT NOT NULL CHECK (status IN ('running', 'done', 'interrupted', 'failed')),
    host           TEXT,
    arguments      TEXT,               -- the command line, as a JSON array
    jobs           INTEGER,            -- workers
    images_done    INTEGER NOT NULL DEFAULT 0,
    images_skipped INTEGER NOT NULL DEFAULT 0,
    seconds        REAL,
    checksum       INTEGER NOT NULL    -- of the row. Since version 4
) STRICT;

-- The network: one row.
CREATE TABLE model(
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    name           TEXT NOT NULL,
    path           TEXT NOT NULL,      -- where the file was when the store was made
    sha256         TEXT NOT NULL,      -- of the file and its external weights, lower-case hexadecimal
    input_channels INTEGER NOT NULL,
    input_height   INTEGER NOT NULL,
    input_width    INTEGER NOT NULL,
    opset          INTEGER NOT NULL
) STRICT;

-- The recorded layers. Neuron id = first_neuron + channel; the layers cover 0 ..< meta.neurons without gaps, in ordinal order.
CREATE TABLE layer(
    id                       INTEGER PRIMARY KEY,
    ordinal                  INTEGER NOT NULL UNIQUE,  -- 0, 1, … in the order of the network's graph
    name                     TEXT NOT NULL UNIQUE,
    tensor                   TEXT NOT NULL,            -- the ONNX value that was recorded
    operator                 TEXT NOT NULL,            -- the ONNX operator that the layer is named for
    first_neuron             INTEGER NOT NULL UNIQUE,
    channels                 INTEGER NOT NULL CHECK (channels > 0),
    height                   INTEGER NOT NULL CHECK (height > 0),
    width                    INTEGER NOT NULL CHECK (width > 0),
    position_bytes           INTEGER NOT NULL CHECK (position_bytes IN (0, 1, 2, 4)),
    has_mean                 INTEGER NOT NULL CHECK (has_mean IN (0, 1)),   -- its spatial means are in mean_block
    is_logits                INTEGER NOT NULL CHECK (is_logits IN (0, 1)),  -- its channels are the network's classes
    -- The cell (y, x) sees input rows offset_y + y·stride_y ..< that + size_y, and columns likewise. NULL: not known.
    receptive_field_height   INTEGER,
    receptive_field_width    INTEGER,
    receptive_field_stride_y REAL,
    receptive_field_stride_x REAL,
    receptive_field_offset_y REAL,
    receptive_field_offset_x REAL,
    CHECK (first_neuron + channels <= 1048576)
) STRICT;

-- The network's output classes, by the channel of their logit; empty when the names are not known.
CREATE TABLE class(
    id   INTEGER PRIMARY KEY,          -- channel of the logits layer
    name TEXT NOT NULL
) STRICT;

-- The labels that the images came with (a folder's name, a column of a list).
CREATE TABLE label(
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    class_id INTEGER REFERENCES class(id)   -- the network's class of the same name
) STRICT;

-- The images that were run; id = block · meta.block_images + lane. Ids are dense from 0 but for images that were removed, whose lanes
-- stay until the store is compacted: meta.removed counts them, and lists and statistics are then not to be trusted.
CREATE TABLE image(
    id                 INTEGER PRIMARY KEY,
    path               TEXT NOT NULL UNIQUE,
    sha256             BLOB NOT NULL CHECK (length(sha256) = 32),
    width              INTEGER NOT NULL,   -- pixels of the file, after orientation
    height             INTEGER NOT NULL,
    bytes              INTEGER NOT NULL,
    mtime_ns           INTEGER NOT NULL,   -- of the file, nanoseconds since 1970
    label_id           INTEGER REFERENCES label(id),
    split              TEXT,
    predicted_class_id INTEGER,            -- channel of the largest logit
    predicted_score    REAL,               -- that logit
    checksum           INTEGER NOT NULL    -- of the row, the label's name standing for label_id. Since version 3
) STRICT;
CREATE INDEX image_by_label ON image(label_id);
CREATE INDEX image_by_sha256 ON image(sha256);

-- Files that could not be decoded, and why. They take no image id.
CREATE TABLE skipped_image(
    path     TEXT PRIMARY KEY,
    reason   TEXT NOT NULL,
    bytes    INTEGER,
    mtime_ns INTEGER,
    checksum INTEGER NOT NULL          -- of the row. Since version 4
) STRICT, WITHOUT ROWID;

-- The activations. One row for each block and neuron; all blocks but the last hold meta.block_images lanes.
-- The file only grows at its end: rows are written in key order, and no second index exists.
CREATE TABLE activation_block(
    id        INTEGER PRIMARY KEY,     -- block << 20 | neuron
    n         INTEGER NOT NULL,        -- lanes: the images block · block_images ..< that + n
    value_max REAL,                    -- the largest value that is not NaN; NULL: all NaN. Not under the checksum
    checksum  INTEGER NOT NULL,        -- CRC-32C of value followed by position
    value     BLOB NOT NULL,           -- n float32, little-endian
    position  BLOB NOT NULL,           -- n unsigned integers of layer.position_bytes, little-endian: y · width + x; last, so
                                       -- that scans stop before them; empty for maps of one cell
    block_id  INTEGER GENERATED ALWAYS AS (id >> 20) VIRTUAL,
    neuron_id INTEGER GENERATED ALWAYS AS (id & 1048575) VIRTUAL
) STRICT;

-- The spatial means of the layers with has_mean (the features that CAM and classifiers read); same key, same lanes.
CREATE TABLE mean_block(
    id       INTEGER PRIMARY KEY,      -- block << 20 | neuron
    n        INTEGER NOT NULL,
    checksum INTEGER NOT NULL,         -- CRC-32C of mean
    mean     BLOB NOT NULL             -- n float32, little-endian
) STRICT;

-- Derived: every neuron over all images. mean and m2 (the sum of squared deviations) are over the finite values.
CREATE TABLE neuron_statistics(
    neuron_id       INTEGER PRIMARY KEY,
    count           INTEGER NOT NULL,  -- images
    nan_count       INTEGER NOT NULL,
    infinite_count  INTEGER NOT NULL,
    zero_count      INTEGER NOT NULL,
    minimum         REAL,              -- NULL: all NaN
    maximum         REAL,
    mean            REAL,              -- NULL: no finite value
    m2              REAL,
    -- Counts of values that are not NaN, u32 little-endian, for the buckets histogram_first, + 1, …; buckets not listed are 0.
    -- Four buckets an octave: bucket 128 + p holds v ≥ 0 and 127 − p holds v < 0, where p = 4·⌊log2|v|⌋ + 64 + the two bits
    -- after the leading one of |v|, clamped to 0 … 127.
    histogram_first INTEGER NOT NULL,
    histogram       BLOB NOT NULL,
    -- The same over full blocks only, so that growing a store gives the bits of a run never interrupted.
    settled_count   INTEGER NOT NULL,
    settled_mean    REAL NOT NULL,
    settled_m2      REAL NOT NULL,
    checksum        INTEGER NOT NULL   -- of the row. Since version 3
) STRICT;

-- Derived: the meta.top_count strongest images of every neuron, as a JSON array of [image_id, value, position], strongest first.
-- A value is the shortest decimal that reads back as the same float32, ±9e999 standing for infinity; position is y · width + x.
-- As a row for each entry, with an index on the image, they took 1.7 µs and 39 bytes an entry, which was nearly all the time of
-- finishing a store; packed, all of finishing takes 0.2 µs an entry, and they about 20 bytes.
CREATE TABLE top_list(
    neuron_id INTEGER PRIMARY KEY,
    list      TEXT NOT NULL,
    checksum  INTEGER NOT NULL         -- of meta.derived_through and the row. Since version 3
) STRICT;

-- Explanations that were asked for, to be given again at once. Since version 2.
CREATE TABLE explanation(
    id           INTEGER PRIMARY KEY,
    key          BLOB NOT NULL UNIQUE CHECK (length(key) = 32),  -- SHA-256 of all that the map depends on
    method       TEXT NOT NULL,        -- the command: saliency, occlusion, cam, deconv, ascend …
    arguments    TEXT NOT NULL,        -- its options, defaults spelt out, as a JSON array
    target       TEXT NOT NULL,
    image_path   TEXT,                 -- NULL: of no image
    image_sha256 BLOB,
    value        REAL,                 -- of the target on the image
    note         TEXT,                 -- what a reader must know of the map
    channels     INTEGER NOT NULL,
    height       INTEGER NOT NULL,
    width        INTEGER NOT NULL,
    is_signed    INTEGER NOT NULL CHECK (is_signed IN (0, 1)),
    map          BLOB NOT NULL,        -- channels × height × width float32, little-endian
    picture      BLOB NOT NULL,        -- PNG
    checksum     INTEGER NOT NULL,     -- of the row; before version 4 of map followed by picture
    record       TEXT,                 -- JSON: how the making went
    checks       TEXT,                 -- JSON: what the map was checked for, and came to
    seconds      REAL NOT NULL,        -- that it took
    created      TEXT NOT NULL,        -- ISO 8601, UTC
    tool_version TEXT NOT NULL
) STRICT;
CREATE INDEX explanation_by_image ON explanation(image_sha256);

-- A last layer that gives class activation maps to a network that has no global average pooling: at most one row. Since version 2.
CREATE TABLE cam_head(
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    layer            TEXT NOT NULL,    -- whose means it weighs
    classes          TEXT NOT NULL,    -- names, as a JSON array
    channels         INTEGER NOT NULL,
    weights          BLOB NOT NULL,    -- classes × channels float32, little-endian
    bias             BLOB NOT NULL,    -- classes float32
    l2               REAL NOT NULL,    -- weight of the squared weights in the loss
    slope            REAL NOT NULL,    -- largest element of the loss's gradient at the end
    trained          INTEGER NOT NULL, -- images
    judged           INTEGER NOT NULL,
    judged_on        TEXT NOT NULL,    -- their split
    accuracy         REAL NOT NULL,    -- share of right answers among the judged
    network_accuracy REAL NOT NULL,    -- the network's own
    checksum         INTEGER NOT NULL  -- of the row. Since version 4
) STRICT;

-- Small pictures of what the network saw, for looking at: of an image as it was resized and cropped, made smaller where its longer side is over
-- meta.thumbnails pixels. Not every image has one. Since version 5.
CREATE TABLE thumbnail(
    image_id INTEGER PRIMARY KEY,
    jpeg     BLOB NOT NULL,
    checksum INTEGER NOT NULL          -- of the row
) STRICT;

-- What people know of images beside their labels. The values stand in the order of image ids, as a JSON array of numbers, null where the value is
-- not known; what comes after its end is not known either. Values of removed images stay until the store is compacted. As a row for each image and
-- attribute, 10 million values took 122 MB and 10.6 s of CPU time to write (from Python); so, 20 MB and 1.5 s, and read as rows no longer. Since version 6.
CREATE TABLE attribute(
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    kind     TEXT NOT NULL CHECK (kind IN ('binary', 'number')),  -- binary: 0 and 1 alone
    list     TEXT NOT NULL,
    checksum INTEGER NOT NULL          -- of the row
) STRICT;

-- Attributes as rows: what is known, of the images that are there.
CREATE VIEW image_attribute AS
SELECT i.id AS image_id, a.name AS attribute, e.value AS value
FROM attribute a
JOIN json_each(a.list) e
CROSS JOIN image i ON i.id = e.key
WHERE e.value IS NOT NULL;

-- The lists as rows. rank is from 1; (y, x) is a cell of the layer's map. An entry is the text [image_id,value,position], of which a cast
-- reads the number at its beginning: the functions of JSON are forbidden in views where a schema is not trusted (SQLite up to 3.40).
CREATE VIEW top_activation AS
SELECT t.neuron_id, e.key + 1 AS rank, CAST(substr(e.value, 2) AS INTEGER) AS image_id,
    CAST(substr(e.value, instr(e.value, ',') + 1) AS REAL) AS value,
    CAST(substr(e.value, length(rtrim(e.value, '0123456789]')) + 1) AS INTEGER) / l.width AS y,
    CAST(substr(e.value, length(rtrim(e.value, '0123456789]')) + 1) AS INTEGER) % l.width AS x
FROM layer l
JOIN top_list t ON t.neuron_id >= l.first_neuron AND t.neuron_id < l.first_neuron + l.channels
JOIN json_each(t.list) e;

-- For people: names instead of ids. Of classes with the same name either is correct for its label.
CREATE VIEW image_info AS
SELECT i.id, i.path, i.width, i.height, i.bytes, i.mtime_ns, b.name AS label, i.split,
    i.predicted_class_id AS predicted_index, c.name AS predicted, i.predicted_score AS score,
    CASE WHEN b.class_id IS NOT NULL THEN b.class_id = i.predicted_class_id
        OR (SELECT k.name FROM class k WHERE k.id = b.class_id) = c.name END AS correct,
    lower(hex(i.sha256)) AS sha256
FROM image i
LEFT JOIN label b ON b.id = i.label_id
LEFT JOIN class c ON c.id = i.predicted_class_id;

CREATE VIEW neuron_info AS
SELECT s.neuron_id, l.name AS layer, s.neuron_id - l.first_neuron AS channel, s.count, s.nan_count, s.minimum, s.maximum, s.mean,
    sqrt(s.m2 / nullif(s.count - s.nan_count - s.infinite_count, 0)) AS deviation,
    s.zero_count * 1.0 / nullif(s.count, 0) AS zero_share, s.zero_count = s.count AS dead
FROM neuron_statistics s
JOIN layer l ON s.neuron_id >= l.first_neuron AND s.neuron_id < l.first_neuron + l.channels;

CREATE VIEW top_image AS
SELECT l.name AS layer, t.neuron_id - l.first_neuron AS channel, t.rank, t.value, t.y, t.x, i.path, b.name AS label, i.split,
    t.image_id, t.neuron_id
FROM layer l
JOIN top_activation t ON t.neuron_id >= l.first_neuron AND t.neuron_id < l.first_neuron + l.channels
CROSS JOIN image i ON i.id = t.image_id     -- CROSS: after the lists, never a scan of the images for each list
LEFT JOIN label b ON b.id = i.label_id;
