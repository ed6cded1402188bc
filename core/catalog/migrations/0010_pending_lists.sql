-- While a first scan loads, words and properties are put into their indexes in larger portions: with the default of 4 MB the
-- scan stands still for it every few thousand entities. What waits is found all the same, a search reads it through (20 ms
-- at most), and the server's own housekeeping puts it in place within a minute.
ALTER INDEX entities_search SET (gin_pending_list_limit = 16384);
ALTER INDEX entities_properties SET (gin_pending_list_limit = 16384);
