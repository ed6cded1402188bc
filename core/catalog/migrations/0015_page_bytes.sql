-- A page of a listing whose bytes are those of the last complete scan is not even parsed. `bytes_seal`: a digest of the bytes
-- and of everything else that the page's `seal` was made of; it means something only beside that, and only to the process
-- that wrote it.
ALTER TABLE scan_pages ADD COLUMN bytes_seal bytea;
