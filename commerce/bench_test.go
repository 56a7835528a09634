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
				reqs = append(reqs, Paid{Order: Order{Store: "o", State: OrderPaid, Lines: []OrderLine{{"gid/mug", 1, eur(1)}}}, Variants: map[string]ID{"gid/mug": mug}})
			}
			d.Plan(epoch, reqs)
			d.Commit()
			if bb.pay {
				for _, h := range d.mustHolds(claimOf(-1).Viewer) {
					d.Plan(epoch, []Request{Paid{Order: Order{Store: "o2", State: OrderPaid, Holds: []ID{h.ID}, Lines: []OrderLine{{"gid/mug", 1, eur(1)}}}, Variants: map[string]ID{"gid/mug": mug}}})
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
