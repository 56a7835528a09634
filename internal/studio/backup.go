package studio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"hawker/internal/sqldb/archive"
)

// slatesIn is where slates are in a backup, each as slates/MERCHANT/SHOW/original. What was prepared of them is made anew.
const slatesIn = "slates"

// Slates are the slates in a folder as they were uploaded: where they are, by the names that they have in a backup.
func Slates(dir string) (map[string]string, error) {
	all, err := filepath.Glob(filepath.Join(dir, "*", "*", original))
	if err != nil {
		return nil, fmt.Errorf("slates: %w", err)
	}
	out := map[string]string{}
	for _, at := range all {
		rel, err := filepath.Rel(dir, at)
		if err != nil {
			return nil, fmt.Errorf("slates: %w", err)
		}
		out[path.Join(slatesIn, filepath.ToSlash(rel))] = at
	}
	return out, nil
}

// Unpack writes the slates of a backup beside the folder dir, which is not touched until put: that moves what is there aside, and
// says where. A backup without slates leaves those that are there. drop takes away what was written and not put.
func Unpack(r *archive.Reader, dir string) (put func() (aside string, err error), drop func(), err error) {
	next, err := os.MkdirTemp(filepath.Dir(dir), "restore-slates-*")
	if err != nil {
		return nil, nil, fmt.Errorf("slates: %w", err)
	}
	drop = func() { _ = os.RemoveAll(next) }
	some := false
	for i := range r.Manifest.Files {
		f := &r.Manifest.Files[i]
		name, ours := strings.CutPrefix(f.Name, slatesIn+"/")
		if !ours { // of a newer program
			continue
		}
		some = true
		if err := unpackOne(r, f, filepath.Join(next, filepath.FromSlash(name))); err != nil {
			drop()
			return nil, nil, err
		}
	}
	return func() (aside string, err error) {
		if !some {
			return "", nil
		}
		if all, err := os.ReadDir(dir); err == nil && len(all) > 0 {
			aside = dir + ".before-restore-" + time.Now().UTC().Format("20060102T150405.000Z")
			if err := os.Rename(dir, aside); err != nil {
				return "", fmt.Errorf("slates: %w", err)
			}
		} else if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("slates: %w", err)
		}
		if err := os.Rename(next, dir); err != nil {
			return aside, fmt.Errorf("slates: %w", err)
		}
		return aside, archive.SyncFolder(filepath.Dir(dir))
	}, drop, nil
}

func unpackOne(r *archive.Reader, f *archive.File, at string) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return fmt.Errorf("slates: %w", err)
	}
	to, err := os.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("slates: %w", err)
	}
	return errors.Join(r.File(f, to), to.Sync(), to.Close())
}
