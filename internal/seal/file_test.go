package seal

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestParseKey(t *testing.T) {
	raw := []byte("\xff\xfe\xfd5678901234567890123456789012")
	raw = append(raw, '!')
	want, err := NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), " " + hex.EncodeToString(raw) + "\n",
		base64.StdEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw),
	} {
		k, err := ParseKey(text)
		if err != nil {
			t.Errorf("ParseKey(%q): %v", text, err)
			continue
		}
		if got, err := k.Open(want.Seal([]byte("x"), ""), ""); err != nil || string(got) != "x" {
			t.Errorf("ParseKey(%q) gives another key", text)
		}
	}
	for _, text := range []string{"", "short-but-secret", hex.EncodeToString(raw[:31]), base64.StdEncoding.EncodeToString(append(raw, 1)), strings.Repeat("?", 44)} {
		k, err := ParseKey(text)
		if err == nil || k != nil {
			t.Errorf("ParseKey(%q) succeeds", text)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("the error shows the text: %v", err)
		}
	}
}

func TestReadKeyMakesOne(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "data")
	var wg sync.WaitGroup
	keys := make([]*Key, 8)
	for i := range keys {
		wg.Go(func() {
			k, err := ReadKey(folder)
			if err != nil {
				t.Errorf("ReadKey: %v", err)
			}
			keys[i] = k
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	again, err := ReadKey(folder)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range keys {
		if got, err := again.Open(k.Seal([]byte("x"), ""), ""); err != nil || string(got) != "x" {
			t.Errorf("start %d has another key than the file", i)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || entries[0].Name() != KeyFile {
		t.Errorf("folder holds %v, %v; want %s alone", entries, err, KeyFile)
	}
	info, err := os.Stat(filepath.Join(folder, KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("key file has mode %o, want 600", info.Mode().Perm())
	}
}

func TestReadKeyRefuses(t *testing.T) {
	good := hex.EncodeToString(make([]byte, 32))
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"world", good, 0o644, "chmod 600"},
		{"group", good, 0o640, "chmod 600"},
		{"writable", good, 0o602, "chmod 600"},
		{"empty", "", 0o600, "empty"},
		{"damaged", good[:40], 0o600, "want 32"},
		{"garbage", "<<<>>>", 0o600, "neither hex nor base64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.want == "chmod 600" {
				return // rights are not in the mode there
			}
			folder := t.TempDir()
			path := filepath.Join(folder, KeyFile)
			if err := os.WriteFile(path, []byte(tt.text), tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			_, err := ReadKey(folder)
			if !errors.Is(err, ErrKeyFile) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("ReadKey: %v; want ErrKeyFile with %q and the path", err, tt.want)
			}
			if err != nil && len(tt.text) > 8 && strings.Contains(err.Error(), tt.text) {
				t.Errorf("the error shows the key: %v", err)
			}
			if b, err := os.ReadFile(path); err != nil || string(b) != tt.text {
				t.Errorf("the file was changed: %q, %v", b, err)
			}
		})
	}
	t.Run("folder", func(t *testing.T) {
		folder := t.TempDir()
		if err := os.Mkdir(filepath.Join(folder, KeyFile), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadKey(folder); !errors.Is(err, ErrKeyFile) || !strings.Contains(err.Error(), "regular") {
			t.Errorf("ReadKey: %v", err)
		}
	})
}
