-- The points of a chunk lie in its row, not in a table beside it: a chart looks up a few of them in each of a thousand chunks, and each such
-- look-up would be two. Two full chunks fit a page. Chunks that are there already stay where they are.
ALTER TABLE "MetricChunk" SET (toast_tuple_target = 4080, fillfactor = 80);
