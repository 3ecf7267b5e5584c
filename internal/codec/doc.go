// Package codec turns values of a user's types into bytes and back, and says what they are
// to a cache: whether the bytes are the value, whether what is decoded is the same as what
// was encoded, whether a value refers to memory that others can change, and how many bytes
// it takes.
//
// A [Format] is all of that for one type. What a user's codec or value does, panics
// included, ends as an error.
//
// What holds: what Encode returns does not alias the value, and Decode's error is always one that
// counts as a miss.
//
// Caveats: a decoded value may alias the bytes it came from; how large a value is, is measured by
// what it refers to, and what two values share counts twice.
package codec
