package commerce

import (
	"strconv"
	"testing"
	"time"

	"hawker/internal/chat"
)

func claimOf(n int) Claim {
	v := chat.Viewer{Platform: chat.Twitch, ID: strconv.Itoa(n), Name: "viewer"}
	return Claim{Ask: Ask{Key: Key{Platform: chat.Twitch, Message: v.ID}, Show: spring, Viewer: v}, Number: 1, Quantity: 1}
}

// BenchmarkPlan is one claim planned and confirmed, in memory: one that is held, one that waits in a long line, one that
// is refused because all is sold.
func BenchmarkPlan(b *testing.B) {
	for _, bb := range []struct {
		name string
		have int64
		pay  bool
	}{{"held", 1 << 40, false}, {"waits", 1, false}, {"sold out", 1, true}} {
		b.Run(bb.name, func(b *testing.B) {
			m := stocked(b)
			st, _ := m.Load(b.Context(), 7)
			d := NewDesk(7, st)
			reqs := []Request{SetStock{Variant: mug, Available: &bb.have}, claimOf(-1)}
			if bb.pay {
				reqs = append(reqs, Paid{Order: Order{Store: "o", State: OrderPaid, Lines: []OrderLine{{Variant: "gid/mug", Quantity: 1, Price: eur(1)}}}, Variants: map[string]ID{"gid/mug": mug}})
			}
			d.Plan(epoch, reqs)
			d.Commit()
			if bb.pay {
				for _, h := range d.mustHolds(claimOf(-1).Viewer) {
					d.Plan(epoch, []Request{Paid{Order: Order{Store: "o2", State: OrderPaid, Holds: []ID{h.ID}, Lines: []OrderLine{{Variant: "gid/mug", Quantity: 1, Price: eur(1)}}}, Variants: map[string]ID{"gid/mug": mug}}})
					d.Commit()
				}
			}
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				now := epoch.Add(time.Duration(n) * time.Millisecond)
				_, outs := d.Plan(now, []Request{claimOf(n)})
				d.Commit()
				if n++; len(outs) != 1 {
					b.Fatal(outs)
				}
			}
		})
	}
}

// BenchmarkBatch is a batch as it stands in a rush: 1,024 claims at once.
func BenchmarkBatch(b *testing.B) {
	m := stocked(b)
	st, _ := m.Load(b.Context(), 7)
	d := NewDesk(7, st)
	have := int64(1 << 40)
	d.Plan(epoch, []Request{SetStock{Variant: mug, Available: &have}})
	d.Commit()
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		reqs := make([]Request, 1024)
		for i := range reqs {
			reqs[i] = claimOf(n)
			n++
		}
		d.Plan(epoch.Add(time.Duration(n)*time.Millisecond), reqs)
		d.Commit()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "decisions/s")
}

// full is a desk with 100,000 open holds of one show, one a millisecond, of which every hundredth has a draft order.
func full(b *testing.B) *Desk {
	m := stocked(b)
	st, _ := m.Load(b.Context(), 7)
	d := NewDesk(7, st)
	have := int64(1 << 40)
	show := springShow()
	show.Guard.Share = 100
	d.Plan(epoch, []Request{SetShow{show}, SetStock{Variant: mug, Available: &have}})
	d.Commit()
	for i := range 100_000 {
		at := epoch.Add(time.Duration(i) * time.Millisecond)
		_, outs := d.Plan(at, []Request{claimOf(i)})
		if d.Commit(); i%100 == 0 {
			d.Plan(at, []Request{Drafted{Holds: []ID{outs[0].Hold}, Draft: strconv.Itoa(i), Created: at}})
			d.Commit()
		}
	}
	return d
}

// BenchmarkTill100k is what each thing costs while 100,000 holds are open. Nothing on the way of a line, of the clock, of a
// webhook or of a viewer's page walks them all; the host's page does.
func BenchmarkTill100k(b *testing.B) {
	d := full(b)
	now := epoch.Add(100 * time.Second)
	plan := func(reqs ...Request) []Outcome {
		_, outs := d.Plan(now, reqs)
		d.Commit()
		return outs
	}
	n := 100_000
	b.Run("claim", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			plan(claimOf(n))
			n++
		}
	})
	b.Run("receipt", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, ok := d.Receipt(d.ReceiptOf(spring, claimOf(77_777).Viewer), now)
			if !ok || len(r.Holds) != 1 {
				b.Fatal(r)
			}
		}
	})
	b.Run("reading", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			now = now.Add(time.Millisecond)
			plan(Read{[]Reading{{Variant: mug, Available: 1 << 40, At: now}}})
		}
	})
	b.Run("payment", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			i++
			o := Order{Store: strconv.Itoa(i), State: OrderPaid, Draft: strconv.Itoa(i % 1000 * 100), Lines: []OrderLine{{Variant: "gid/mug", Quantity: 1, Price: eur(1)}}, Created: now, Updated: now}
			plan(Paid{Order: o, Variants: map[string]ID{"gid/mug": mug}})
		}
	})
	b.Run("host's page", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.View(spring, now)
		}
	})
	reminded := func() { // all of them, so that ends are left
		now = now.Add(9*time.Minute - 100*time.Second)
		for due, _ := d.NextDue(); !due.After(now); due, _ = d.NextDue() {
			plan(Expire{})
		}
	}
	reminded()
	b.Run("end", func(b *testing.B) { // each in a plan of its own
		b.ReportAllocs()
		ended := 0
		for b.Loop() {
			due, ok := d.NextDue()
			if !ok {
				b.StopTimer()
				d, now = full(b), epoch.Add(100*time.Second)
				reminded()
				b.StartTimer()
				continue
			}
			now = due
			ended += len(plan(Expire{}))
		}
		if ended == 0 {
			b.Error("nothing ended")
		}
	})
}
