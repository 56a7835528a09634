package seal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
)

// Token is a capability: whoever has its text may do what it allows. It prints as "[hidden]"; Reveal gives the text
// for the one place that shows it. The database keeps Hash.
type Token = Secret

// TokenSize is how many random or derived bytes a token has: 128 bits.
const TokenSize = 16

// Kinds of derived tokens; they are part of what is derived, so that a receipt's token opens no overlay.
const (
	Receipt = "receipt"
	Overlay = "overlay"
)

// tokenText writes tokens: 26 letters a-z and digits 2-7 that survive chat, e-mail and reading aloud.
const tokenText = "abcdefghijklmnopqrstuvwxyz234567"

// Derive gives the token of one thing: the same for the same kind, merchant, id and generation, and not to be guessed
// without the key. Raising generation revokes what was handed out before.
func (k *Key) Derive(kind string, merchant, id, generation int64) Token {
	mac := hmac.New(sha256.New, k.derive)
	mac.Write(fields(kind, merchant, id, generation))
	return encode(mac.Sum(nil)[:TokenSize])
}

// Addressed tokens say themselves which thing they open: its id, then the first macSize bytes of what Derive would give. So
// the thing is found by its id, without an index of hashes, and 80 bits cannot be guessed by asking.
const (
	idSize        = 8
	macSize       = 10
	addressedSize = idSize + macSize
)

// DeriveAddressed gives a token as Derive does, in front of which stands the id.
func (k *Key) DeriveAddressed(kind string, merchant, id, generation int64) Token {
	mac := hmac.New(sha256.New, k.derive)
	mac.Write(fields(kind, merchant, id, generation))
	return encode(append(binary.BigEndian.AppendUint64(nil, uint64(id)), mac.Sum(nil)[:macSize]...))
}

// Address is the id in an addressed token; false when it is none. Whether the token opens the thing says OpensAddressed.
func Address(t Token) (id int64, ok bool) {
	raw, err := encoding().DecodeString(t.Reveal())
	if err != nil || len(raw) != addressedSize {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(raw)), true
}

// OpensAddressed reports whether a token is that of the thing, in a time that says nothing of how much of it is right.
func (k *Key) OpensAddressed(t Token, kind string, merchant, id, generation int64) bool {
	return hmac.Equal([]byte(t.Reveal()), []byte(k.DeriveAddressed(kind, merchant, id, generation).Reveal()))
}

// NewToken makes a random token: a stream key, an API token, an invitation. It is shown once and kept as its Hash.
func NewToken() Token {
	raw := make([]byte, TokenSize)
	rand.Read(raw) // never fails since Go 1.24
	return encode(raw)
}

// Hash is what the database keeps of a token to find it again: SHA-256 of its text. Tokens carry 128 random bits, so
// a slow password hash would add nothing.
func Hash(t Token) []byte {
	sum := sha256.Sum256([]byte(t.Reveal()))
	return sum[:]
}

// ValidToken says whether text has the form of a token, so that a request with anything else is refused before the
// database is asked.
func ValidToken(text string) bool {
	raw, err := encoding().DecodeString(text)
	// Encoding it again refuses the spare bits of the last letter: each token has one spelling.
	return err == nil && (len(raw) == TokenSize || len(raw) == addressedSize) && encoding().EncodeToString(raw) == text
}

func encode(raw []byte) Token { return Token(encoding().EncodeToString(raw)) }

func encoding() *base32.Encoding {
	return base32.NewEncoding(tokenText).WithPadding(base32.NoPadding)
}

// fields joins values so that no other list of values gives the same bytes: each with its length before it.
func fields(values ...any) []byte {
	var out []byte
	for _, v := range values {
		text := fmt.Sprint(v)
		out = binary.BigEndian.AppendUint32(out, uint32(len(text)))
		out = append(out, text...)
	}
	return out
}
