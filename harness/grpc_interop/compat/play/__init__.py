"""Playing exchanges between two versions, and interpreting the transcripts of both sides."""
