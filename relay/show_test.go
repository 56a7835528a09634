package relay_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/rtmp"
	"hawker/relay/rtmpsim"
)

const backupKey = "backup-secret-77aa"

// grows says whether the times of each track never step back, and are never apart by more than gap.
func grows(t *testing.T, all []rtmp.Message, gap uint32) {
	t.Helper()
	newest := map[byte]uint32{}
	for i, m := range all {
		before, ok := newest[m.Type]
		if ok && (m.Time < before || m.Time-before > gap) {
			t.Fatalf("message %d of %d: type %d at %d after %d", i, len(all), m.Type, m.Time, before)
		}
		newest[m.Type] = m.Time
	}
}

func kindOf(m rtmp.Message) rtmp.Kind { return rtmp.Inspect(m).Kind }

// The encoder is lost: its last picture is repeated, with silence, and nobody is disconnected. It returns with times from 0: the
// show goes on at a keyframe with its headers, on one growing timeline.
func TestSlate(t *testing.T) {
	a, da := knower(t, "a")
	b, db := platform(t, "b") // a library of others reads the slate as well
	h := start(t, nil, da, db)
	e := encode(t, h.addr, 700_000)
	e.picture()
	live(t, h, "a", "b")
	e.pictures(59)
	last := slices.IndexFunc(a.messages(), func(m rtmp.Message) bool { return kindOf(m) == rtmp.Keyframe })
	if last < 0 {
		t.Fatal("no keyframe")
	}
	eventually(t, "all sent", func() bool { return len(a.messages()) == len(e.sent) })
	_ = e.p.Close()
	eventually(t, "the slate", func() bool { return h.Status()[0].Slate })
	from := len(a.messages())
	eventually(t, "pictures and silence", func() bool {
		var pictures, sounds int
		for _, m := range a.messages()[len(e.sent):] {
			switch {
			case kindOf(m) == rtmp.Keyframe:
				pictures++
			case m.Type == rtmp.TypeAudio:
				sounds++
			}
		}
		return pictures > 3 && sounds > 60
	})
	repeated := 0
	for _, m := range a.messages()[from:] {
		if kindOf(m) == rtmp.Keyframe && bytes.HasSuffix(m.Payload, []byte{0, 0, 0}) && m.Payload[9] == 0x09 {
			repeated++
		}
	}
	if repeated == 0 {
		t.Error("the last picture is not repeated")
	}
	e2 := encode(t, h.addr, 0)
	e2.pictures(30)
	eventually(t, "the encoder is on the air", func() bool { return !h.Status()[0].Slate && slices.Contains(a.hashes(), e2.sent[len(e2.sent)-1]) })
	all := a.messages()
	at := slices.IndexFunc(all, func(m rtmp.Message) bool { return rtmpsim.Hash(m.Payload) == e2.sent[2] }) // its first picture
	if at < 2 || kindOf(all[at]) != rtmp.Keyframe || kindOf(all[at-1]) != rtmp.Header || kindOf(all[at-2]) != rtmp.Header {
		t.Errorf("the return is not at a keyframe with headers: %d", at)
	}
	grows(t, all, 2100)
	if a.publications() != 1 || b.Counts().Published != 1 {
		t.Error("a destination was disconnected")
	}
	if f := b.Session().Figures(); f.Backwards != 0 {
		t.Errorf("figures = %+v", f)
	}
	if k := h.kinds(); !slices.Contains(k, relay.SlateOn) || !slices.Contains(k, relay.SlateOff) {
		t.Errorf("events = %v", k)
	}
}

// The encoder is silent, though its connection stands: the slate comes, and goes at its next keyframe.
func TestSilentEncoder(t *testing.T) {
	a, da := knower(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0)
	e.pictures(10)
	live(t, h, "a")
	eventually(t, "the slate", func() bool { return h.Status()[0].Slate })
	if st := h.Status()[0]; !st.Ingest.Connected {
		t.Error("the encoder was dropped")
	}
	e.pictures(10) // no keyframe among them
	if !h.Status()[0].Slate {
		t.Error("on the air without a keyframe")
	}
	e.pictures(10)
	eventually(t, "on the air", func() bool { return !h.Status()[0].Slate })
	eventually(t, "its pictures", func() bool { return slices.Contains(a.hashes(), e.sent[len(e.sent)-1]) })
	if slices.Contains(a.hashes(), e.sent[30]) {
		t.Error("a picture was sent that nobody can decode")
	}
	grows(t, a.messages(), 2100)
}

// A merchant's clip is the slate where it fits, and is left alone where it does not.
func TestSlateClip(t *testing.T) {
	clip := func(width int, mark byte) []byte {
		b := []byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
		tag := func(typ byte, at int, p []byte) {
			b = append(b, typ, byte(len(p)>>16), byte(len(p)>>8), byte(len(p)), byte(at>>16), byte(at>>8), byte(at), 0, 0, 0, 0)
			b = binary.BigEndian.AppendUint32(append(b, p...), uint32(11+len(p)))
		}
		tag(rtmp.TypeData, 0, rtmp.AppendAMF0(nil, "onMetaData", rtmp.Object{{Name: "width", Value: width}, {Name: "height", Value: 360}}))
		tag(rtmp.TypeVideo, 0, append([]byte{0x17, 0, 0, 0, 0}, avcC...))
		for i := range 10 {
			p := []byte{0x27, 1, 0, 0, 0, 0, 0, 0, 2, mark, byte(i)}
			if i == 0 {
				p[0] = 0x17
			}
			tag(rtmp.TypeVideo, 40*i, p)
		}
		return b
	}
	for _, tt := range []struct {
		name  string
		width int
		fits  bool
	}{{"fits", 640, true}, {"another size", 1280, false}} {
		t.Run(tt.name, func(t *testing.T) {
			a, da := knower(t, "a")
			h := start(t, nil, da)
			h.slate(clip(tt.width, 0xCC))
			e := encode(t, h.addr, 0)
			e.picture()
			live(t, h, "a")
			_ = e.p.Close()
			eventually(t, "the slate", func() bool { return h.Status()[0].Slate })
			eventually(t, "some of it", func() bool { return len(a.messages()) > len(e.sent)+40 })
			ours := 0
			for _, m := range a.messages()[len(e.sent):] {
				if m.Type == rtmp.TypeVideo && len(m.Payload) == 11 && m.Payload[9] == 0xCC {
					ours++
				}
			}
			if (ours > 10) != tt.fits { // more than once round
				t.Errorf("%d pictures of the clip", ours)
			}
			grows(t, a.messages(), 2100)
		})
	}
}

// Cut: the last picture is not shown any more, publishers are closed, destinations stay, the next publisher is on the air.
func TestCut(t *testing.T) {
	a, da := knower(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0)
	e.picture()
	live(t, h, "a")
	e.pictures(29)
	eventually(t, "all sent", func() bool { return len(a.messages()) == len(e.sent) })
	if err := h.Cut("show"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the encoder is closed", func() bool { return e.p.Err() != nil })
	eventually(t, "the slate", func() bool { return h.Status()[0].Slate && h.Status()[0].Cut })
	eventually(t, "black pictures", func() bool { return len(a.messages()) > len(e.sent)+100 })
	for i, m := range a.messages()[len(e.sent):] {
		if m.Type == rtmp.TypeVideo && kindOf(m) != rtmp.Header && (len(m.Payload) > 2000 || kindOf(m) != rtmp.Keyframe) {
			t.Fatalf("message %d of the slate is no black picture: %d bytes", i, len(m.Payload))
		}
	}
	e2 := encode(t, h.addr, 0)
	e2.pictures(30)
	eventually(t, "on the air again", func() bool {
		st := h.Status()[0]
		return !st.Slate && !st.Cut && slices.Contains(a.hashes(), e2.sent[20])
	})
	grows(t, a.messages(), 2100)
	if a.publications() != 1 || h.Cut("nothing") == nil {
		t.Error("a destination was disconnected, or what is not there was cut")
	}
}

// The slate covers the encoder's pictures and lets them be seen again, from a keyframe on; nobody is disconnected.
func TestSlateOnDemand(t *testing.T) {
	a, da := knower(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0)
	e.size = 1000
	stop := e.keepOn()
	defer stop()
	live(t, h, "a")
	if err := h.Slate("show", true); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the slate", func() bool { return h.Status()[0].Slate })
	begun := len(a.messages())
	eventually(t, "only the last picture", func() bool {
		all := a.messages()
		return len(all) > begun+100 && !slices.ContainsFunc(all[len(all)-50:], func(m rtmp.Message) bool { return m.Type == rtmp.TypeVideo && kindOf(m) == rtmp.Other })
	})
	if st := h.Status()[0]; !st.Ingest.Connected {
		t.Error("the encoder was disconnected")
	}
	if err := h.Slate("show", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "seen again", func() bool {
		all := a.messages()
		return !h.Status()[0].Slate && slices.ContainsFunc(all[max(0, len(all)-20):], func(m rtmp.Message) bool { return m.Type == rtmp.TypeVideo && kindOf(m) == rtmp.Other })
	})
	grows(t, a.messages(), 2100)
	if a.publications() != 1 || h.Slate("nothing", true) == nil {
		t.Error("a destination was disconnected, or what is not there has a slate")
	}
}

// The backup encoder takes over at a keyframe when the first is lost, and stays; Use brings the first one back.
func TestBackup(t *testing.T) {
	a, da := knower(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 1000)
	stop := e.keepOn()
	live(t, h, "a")
	b := encodeAs(t, h.addr, backupKey, 90_000)
	b.size = 1000
	stopB := b.keepOn()
	eventually(t, "both are there", func() bool {
		st := h.Status()[0]
		return st.Backup != nil && st.Backup.Kbps >= 0 && st.Ingest.Connected
	})
	on := func(e *encoder) func() bool {
		return func() bool {
			all := a.messages()
			return len(all) > 0 && slices.IndexFunc(all[max(0, len(all)-20):], func(m rtmp.Message) bool { return m.Type == rtmp.TypeVideo && len(m.Payload) == e.size+9 }) >= 0
		}
	}
	if on(b)() {
		t.Error("the backup is sent while the first is there")
	}
	stop()
	_ = e.p.Close()
	eventually(t, "the backup is on the air", func() bool { return h.Status()[0].OnBackup && on(b)() })
	e2 := encode(t, h.addr, 0)
	stop2 := e2.keepOn()
	eventually(t, "the first is back", func() bool { st := h.Status()[0]; return st.Backup != nil && st.OnBackup })
	if err := h.Use("show", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first is on the air", func() bool { return !h.Status()[0].OnBackup && on(e2)() })
	stop2()
	stopB()
	all := a.messages()
	for i := 1; i < len(all); i++ { // each change is at a keyframe
		if all[i].Type == rtmp.TypeVideo && kindOf(all[i]) == rtmp.Other && len(all[i].Payload) > 100 {
			j := i - 1
			for ; j >= 0 && (all[j].Type != rtmp.TypeVideo || kindOf(all[j]) == rtmp.Header); j-- {
			}
			if j >= 0 && len(all[j].Payload) > 100 && len(all[j].Payload) != len(all[i].Payload) && all[j].Payload[9] != 0x09 {
				t.Fatalf("message %d changes the encoder in mid-group", i)
			}
		}
	}
	grows(t, all, 2100)
	if a.publications() != 1 {
		t.Error("a destination was disconnected")
	}
}

// The same encoder is taken back at once though its old connection still stands; another one from elsewhere waits for the host.
func TestKnocking(t *testing.T) {
	a, da := knower(t, "a")
	h := start(t, nil, da)
	h.askHost()
	e := encode(t, h.addr, 0)
	e.pictures(10)
	live(t, h, "a")
	e2 := encode(t, h.addr, 0) // waits for its predecessor to be dead
	eventually(t, "the dead connection is closed", func() bool { return e.p.Err() != nil })
	if e2.p.Err() != nil {
		t.Error("the same encoder was not taken back")
	}
	e2.pictures(30)
	eventually(t, "on the air", func() bool { return slices.Contains(a.hashes(), e2.sent[20]) })
	_ = e2.p.Close()
	eventually(t, "away", func() bool { return !h.Status()[0].Ingest.Connected })
	other := encodeFrom(t, h.addr, ingestKey, "127.0.0.2")
	other.size = 1500
	other.picture()
	first := other.sent[2]
	stop := other.keepOn()
	defer stop()
	eventually(t, "it knocks", func() bool { k := h.Status()[0].Knocking; return k != nil && !k.Waiting })
	if slices.Contains(a.hashes(), first) {
		t.Error("it is on the air unasked")
	}
	if err := h.Admit("show"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is on the air", func() bool { st := h.Status()[0]; return st.Knocking == nil && st.Ingest.Connected && !st.Slate })
	grows(t, a.messages(), 2100)
	if h.Admit("show") == nil {
		t.Error("admitted nobody")
	}
}

// RTMPS in: the encoder may come over TLS, and out.
func TestRTMPS(t *testing.T) {
	pair, roots := certificate(t)
	a, da := knower(t, "a")
	tlsLn := listen(t)
	inner := &knowing{}
	go func() {
		ln := tls.NewListener(tlsLn, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go inner.serve(t.Context(), nc)
		}
	}()
	t.Cleanup(func() { _ = tlsLn.Close() })
	_, port, _ := net.SplitHostPort(tlsLn.Addr().String())
	over := relay.Destination{ID: "tls", Name: "TLS", Server: "rtmps://localhost:" + port + "/app", Key: "key-tls"}
	h := start(t, func(s *relay.Server) { s.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12} }, da, over)
	in := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- h.Run(ctx, tls.NewListener(in, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}))
	}()
	defer func() { cancel(); <-done }()
	_, port, _ = net.SplitHostPort(in.Addr().String())
	target, err := rtmp.ParseTarget("rtmps://localhost:"+port+"/live", ingestKey)
	if err != nil {
		t.Fatal(err)
	}
	p, err := (&rtmp.Dialer{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}).Publish(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	e := &encoder{t: t, p: p, size: 30_000}
	defer func() { _ = p.Close() }()
	e.headers()
	e.picture()
	live(t, h, "a", "tls")
	e.pictures(40)
	eventually(t, "all over TLS", func() bool { return slices.Equal(inner.hashes(), e.sent) && slices.Equal(a.hashes(), e.sent) })
	eventually(t, "both send", func() bool { return h.destination("tls").Sending && h.destination("a").Sending })
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	return certificateFor(t, time.Now().Add(time.Hour))
}

func certificateFor(t *testing.T, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// A codec that the platform is known not to take over RTMP is refused in words, and the others get it.
func TestCodecRefused(t *testing.T) {
	_, da := knower(t, "a")
	twitch, dt := platform(t, "twitch")
	real := dt.Server
	dt.Server = "rtmp://live-fra.twitch.tv/app"
	h := start(t, func(s *relay.Server) {
		s.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == "live-fra.twitch.tv:1935" {
				target, err := rtmp.ParseTarget(real, "k")
				if err != nil {
					return nil, err
				}
				addr = target.Addr
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}
	}, da, dt)
	e := encode(t, h.addr, 0)
	e.send(rtmp.TypeVideo, []byte("\x90hvc1config"))
	e.send(rtmp.TypeVideo, []byte("\x91hvc1\x00\x00\x00key"))
	live(t, h, "a")
	eventually(t, "the refusal", func() bool { return h.destination("twitch").Reason == relay.NoCodec })
	if text := h.destination("twitch").Error; text != "The picture is in HEVC, which Twitch does not take over RTMP: set the encoder to H.264 for it." {
		t.Error(text)
	}
	if twitch.Session() != nil && twitch.Session().Figures().Messages > 0 {
		t.Error("it was sent all the same")
	}
}

// A line that is known to be too small for all: the least important destination is left out, in numbers, without a goodbye to the
// platform, and is back when another one goes.
func TestLineTooSmall(t *testing.T) {
	var dests []relay.Destination
	sims := map[string]*rtmpsim.Sim{}
	for i, id := range []string{"a", "b", "c"} {
		sim, d := platform(t, id)
		d.Priority = []int{1, 3, 2}[i]
		sims[id], dests = sim, append(dests, d)
	}
	h := start(t, nil, dests...)
	h.line(1000) // one of them
	e := encode(t, h.addr, 0)
	defer e.keepOn()()
	eventually(t, "two are left out", func() bool {
		return h.destination("a").State == relay.LeftOut && h.destination("c").State == relay.LeftOut
	})
	st := h.Status()[0]
	if d := h.destination("a"); d.Reason != relay.Line || !strings.HasPrefix(d.Error, "Your line carries 1 of ") || st.Line == "" || st.LineCarries != 1000 {
		t.Errorf("%+v, %q", d, st.Line)
	}
	live(t, h, "b")
	eventually(t, "they are closed without a goodbye", func() bool { return sims["a"].Counts().Open == 0 && sims["a"].Counts().Ended == 0 })
	if err := h.Remove("show", "b"); err != nil {
		t.Fatal(err)
	}
	live(t, h, "c")
	if h.destination("a").State != relay.LeftOut {
		t.Error("the less important one is back")
	}
}
