package seal

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// KeyFile is the name of the key's file in the data folder.
const KeyFile = "hawker.key"

// ErrKeyFile means that the key file is there but must not or cannot be used; the error's text says why.
var ErrKeyFile = errors.New("key file")

// ParseKey reads a key as people and files write it: 32 bytes in hex or in base64 (both alphabets, with or without
// padding). Its errors never show the text.
func ParseKey(text string) (*Key, error) {
	text = strings.TrimSpace(text)
	if len(text) == hex.EncodedLen(32) {
		if raw, err := hex.DecodeString(text); err == nil {
			return NewKey(raw)
		}
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, errors.New("key is neither hex nor base64 of 32 bytes")
	}
	return NewKey(raw)
}

// ReadKey reads the key from folder/hawker.key and makes it there, random and for the owner's eyes alone, when the
// file does not exist. Several processes may do so at once: they end with the same key. A file that others may read
// or write, or that is no regular file, is refused with an error that is ErrKeyFile. (Windows keeps such rights
// elsewhere; there only the folder's own protection counts.)
func ReadKey(folder string) (*Key, error) {
	path := filepath.Join(folder, KeyFile)
	key, err := readKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := makeKeyFile(folder, path); err != nil {
		return nil, fmt.Errorf("make key file %s: %w", path, err)
	}
	return readKeyFile(path)
}

func readKeyFile(path string) (*Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	defer f.Close()
	// The open file is asked, not the path: nobody can exchange it in between.
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w %s is not a regular file", ErrKeyFile, path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%w %s has mode %04o: others can use it; run: chmod 600 %s", ErrKeyFile, path, mode, path)
	}
	text := make([]byte, 256) // more than any spelling of 32 bytes
	n, err := f.Read(text)
	if err != nil && n == 0 {
		return nil, fmt.Errorf("%w %s is empty; restore it from a backup, sealed secrets need it", ErrKeyFile, path)
	}
	key, err := ParseKey(string(text[:n]))
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrKeyFile, path, err)
	}
	return key, nil
}

// makeKeyFile writes a new key beside its place, flushes it to disk and links it in: the file is never half there,
// and of two processes the second finds the first one's key.
func makeKeyFile(folder, path string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, KeyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	raw := make([]byte, 32)
	rand.Read(raw) // never fails since Go 1.24
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(raw) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		// A file system without links: the rename can replace another process's key, but that process reads after us or
		// makes its own a moment later than the first start of an installation, which happens once.
		return os.Rename(f.Name(), path)
	}
	return syncFolder(folder)
}

// syncFolder makes the new name durable: a key that vanishes after secrets were sealed with it is a loss.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be flushed there
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
