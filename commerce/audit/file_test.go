package audit_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/audit"
)

type fataler interface{ Fatal(...any) }

// export is a ledger as a file.
func export(t fataler, all []commerce.Entry) []byte {
	var b bytes.Buffer
	var head [32]byte
	if len(all) > 0 {
		head = all[len(all)-1].Hash
	}
	if err := audit.WriteHeader(&b, "ana", 1, time.Now(), int64(len(all)), head); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		line, err := audit.AppendLine(nil, &all[i])
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
	}
	return b.Bytes()
}

func TestVerify(t *testing.T) {
	all := sale(t)
	file := export(t, all)
	h, p, err := audit.Verify(bytes.NewReader(file))
	if err != nil || h.Merchant != "ana" || p.Entries != int64(len(all)) || h.Head != p.Head() {
		t.Fatalf("%+v, %+v, %v", h, p, err)
	}
	if !strings.Contains(string(file), "SHA-256 of: the 32 bytes of prev") {
		t.Error("the file does not say its rule")
	}
	// Every flipped byte and every cut is found; only the words of the first line may change.
	rule := bytes.IndexByte(file, '\n')
	for i := rule + 1; i < len(file); i += 7 {
		bad := bytes.Clone(file)
		bad[i] ^= 1
		if _, _, err := audit.Verify(bytes.NewReader(bad)); err == nil {
			t.Fatalf("byte %d was flipped and nobody saw: %q", i, bad[max(0, i-20):i+20])
		}
		if _, _, err := audit.Verify(bytes.NewReader(file[:i])); err == nil {
			t.Fatalf("cut at %d and nobody saw", i)
		}
	}
	for name, text := range map[string]string{
		"no export": "hello\n", "nothing": "", "another form": `{"hawker_ledger":2}` + "\n", "a long line": string(file[:rule+1]) + strings.Repeat("x", 2<<20) + "\n",
	} {
		if _, _, err := audit.Verify(strings.NewReader(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, _, err := audit.Verify(bytes.NewReader(export(t, nil))); err != nil {
		t.Errorf("an empty ledger: %v", err)
	}
}

func FuzzParseLine(f *testing.F) {
	w := newTill()
	w.buy("ana", 1, 2)
	for i := range w.all {
		line, err := audit.AppendLine(nil, &w.all[i])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Add([]byte(`{"seq":1,"at_ms":1,"show":"0","kind":"x","v":1,"prev":"","hash":"","body":{}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := audit.ParseLine(line)
		if err != nil {
			return
		}
		again, err := audit.AppendLine(nil, &e)
		if err != nil || !bytes.Equal(bytes.TrimSuffix(again, []byte("\n")), bytes.TrimSuffix(line, []byte("\n"))) {
			t.Fatalf("%q was read and is written as %q, %v", line, again, err)
		}
		if !json.Valid(line) || bytes.Count(again, []byte("\n")) != 1 {
			t.Fatalf("%q is not JSON on one line", line)
		}
		r := audit.New()
		_ = r.Add(e) // never panics
		e.Seq, e.Prev = 1, [32]byte{}
		e.Hash = e.Chain()
		_ = r.Add(e)
		r.Report()
	})
}
