package rules

import "unicode/utf8"

// mark says what a byte may begin, so that a chunk without such bytes is not searched for it.
type mark uint8

const (
	mHidden   mark = 1 << iota
	mLess          // <
	mColon         // :
	mAt            // @
	mQuestion      // ?
	mPoint         // .
	mPrice         // $, % and what is not ASCII
	mQuote         // what may open a quotation
)

// newMarks is a table of the marks of all bytes.
func newMarks() (t [256]mark) {
	for c, m := range map[byte]mark{
		hidden: mHidden, '<': mLess, ':': mColon, '@': mAt, '?': mQuestion, '.': mPoint, '$': mPrice, '%': mPrice,
		'"': mQuote, '`': mQuote, '|': mQuote, '~': mQuote, '\'': mQuote,
	} {
		t[c] = m
	}
	for c := utf8.RuneSelf; c < len(t); c++ {
		t[c] = mPrice | mQuote
	}
	return t
}
