package trapline.journal.file;

/// One block of a container file, unpacked.
///
/// @param position of the block in the file
/// @param count how many records it holds
/// @param next the position of the block after it
/// @param data the records' bytes
record Block(long position, long count, long next, byte[] data) {}
