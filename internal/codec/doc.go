// Package codec turns values of a user's types into bytes and back, and says what they are
// to a cache: whether the bytes are the value, whether what is decoded is the same as what
// was encoded, whether a value refers to memory that others can change, and how many bytes
// it takes.
//
// A [Format] is all of that for one type. What a user's codec or value does, panics
// included, ends as an error.
package codec
