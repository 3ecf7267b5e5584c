package owner

const (
	// BookShare is the part of MaxBytes, as 1/BookShare, that leases may take; a small
	// group has room for a few all the same, which is not counted.
	BookShare = 16
	BookLeast = 2 << 10

	// bookCost is what a book takes besides key and holders: itself, and a slot of a map
	// that is half full.
	bookCost = 48 + 64
)
