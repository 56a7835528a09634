package setup

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// MinPassword is the fewest characters of a password (OWASP ASVS 5.0, requirement 6.2.1).
const MinPassword = 8

// What a new password costs: 19 MiB of memory, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet, Argon2id). Salt and
// key are as long as RFC 9106, section 3.1 recommends.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	saltSize  = 16
	keySize   = 32
)

// What a stored hash may ask for at most, so that a row nobody of us wrote cannot use the machine up.
const (
	maxMemoryKiB = 256 * 1024
	maxPasses    = 16
	maxLanes     = 16
)

// HashPassword hashes a password with Argon2id and a new salt, as a PHC string: $argon2id$v=19$m=19456,t=2,p=1$SALT$KEY.
func HashPassword(password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails since Go 1.24
	key := argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, keySize)
	text := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes, text.EncodeToString(salt), text.EncodeToString(key))
}

// CheckPassword reports whether password is the one that was hashed. An empty or odd hash is never right and takes as long
// as another, so that an answer's time does not tell who is a member.
func CheckPassword(hash, password string) bool {
	h, ok := parseHash(hash)
	if !ok {
		h = phc{memoryKiB, passes, lanes, make([]byte, saltSize), make([]byte, keySize)}
	}
	key := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1 && ok
}

// phc is a hash taken apart.
type phc struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

func parseHash(s string) (phc, bool) {
	var h phc
	p := strings.Split(s, "$")
	if len(p) != 6 || p[0] != "" || p[1] != "argon2id" || p[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, false
	}
	if _, err := fmt.Sscanf(p[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return h, false
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.DecodeString(p[4]); err != nil {
		return h, false
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(p[5]); err != nil {
		return h, false
	}
	sound := h.memory >= 8 && h.memory <= maxMemoryKiB && h.passes >= 1 && h.passes <= maxPasses && h.lanes >= 1 && h.lanes <= maxLanes
	return h, sound && len(h.salt) >= 8 && len(h.salt) <= 64 && len(h.key) >= 16 && len(h.key) <= 64
}
