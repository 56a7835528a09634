// Package seal keeps secrets: it seals what rests in the database, derives the tokens of links that can be shown
// again without being stored, and makes random ones that are shown once. One key of 32 bytes does it all; it lies in
// the data folder or comes by HAWKER_KEY. Whoever loses the key loses every sealed secret and every derived link.
package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// version is the first byte of everything sealed. 1 is XChaCha20-Poly1305: version, 24 bytes of random nonce, then
// ciphertext and tag. The long nonce may be random for any number of messages (draft-irtf-cfrg-xchacha).
const version = 1

// Overhead is how many bytes longer than its plain text a sealed text is.
const Overhead = 1 + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// ErrOpen means that a sealed text is damaged, was sealed by another key, or was sealed for another context.
var ErrOpen = errors.New("sealed text does not open: damaged, or sealed by another key or for another place")

// Key seals, opens and derives. Its bytes leave it neither by printing nor by JSON. The zero Key is not usable;
// ParseKey, ReadKey and NewKey make one. A Key may be used by many goroutines.
type Key struct {
	aead   cipher.AEAD
	derive []byte // the HMAC key of Derive
}

// NewKey makes a Key of 32 bytes. Sealing and deriving work with keys of their own (HKDF-SHA256), so that a weakness
// of one use is none of the other.
func NewKey(raw []byte) (*Key, error) {
	if len(raw) != chacha20poly1305.KeySize {
		return nil, fmt.Errorf("key has %d bytes, want %d", len(raw), chacha20poly1305.KeySize)
	}
	sealing, err := hkdf.Key(sha256.New, raw, nil, "hawker seal 1", chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive sealing key: %w", err)
	}
	deriving, err := hkdf.Key(sha256.New, raw, nil, "hawker derive 1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive token key: %w", err)
	}
	aead, err := chacha20poly1305.NewX(sealing)
	if err != nil {
		return nil, fmt.Errorf("sealing cipher: %w", err)
	}
	return &Key{aead: aead, derive: deriving}, nil
}

// Seal encrypts plain for one place. context names that place (see Context) and is not stored: a sealed text that is
// copied to another row does not open there.
func (k *Key) Seal(plain []byte, context string) []byte {
	out := make([]byte, 1+chacha20poly1305.NonceSizeX, len(plain)+Overhead)
	out[0] = version
	nonce := out[1:]
	rand.Read(nonce) // never fails since Go 1.24
	return k.aead.Seal(out, nonce, plain, associated(context))
}

// Open returns what Seal was given for the same context, or an error that is ErrOpen.
func (k *Key) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, fmt.Errorf("%d bytes: %w", len(sealed), ErrOpen)
	}
	if sealed[0] != version {
		return nil, fmt.Errorf("version %d: %w", sealed[0], ErrOpen)
	}
	nonce, text := sealed[1:1+chacha20poly1305.NonceSizeX], sealed[1+chacha20poly1305.NonceSizeX:]
	plain, err := k.aead.Open(nil, nonce, text, associated(context))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// associated binds the version too: a later version can never be read as this one.
func associated(context string) []byte { return append([]byte{version}, context...) }

// Context names a place in the database, for example Context("accounts", "token", 1001, "twitch/2002"): table,
// column, then the parts of the row's key. Parts are kept apart by their lengths: no two lists give the same text.
func Context(table, column string, row ...any) string {
	return string(fields(append([]any{table, column}, row...)...))
}

// String hides the key.
func (k *Key) String() string { return hidden }

// GoString hides the key.
func (k *Key) GoString() string { return hidden }
