package sqldb

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
)

// BenchmarkCommit is 64 viewers who claim as fast as they are answered. The merchant's goroutine takes all that waits as
// one batch, plans it, makes it durable and answers: the figure is decisions in a second, each on disk before its
// answer.
func BenchmarkCommit(b *testing.B) {
	const viewers = 64
	for _, f := range both() {
		b.Run(f.name, func(b *testing.B) {
			db := open(b, f.make(b))
			id := merchant(b, db, "ana")
			stockShop(b, db, id)
			st, err := db.Load(b.Context(), id)
			if err != nil {
				b.Fatal(err)
			}
			type ask struct {
				claim commerce.Claim
				told  chan struct{}
			}
			asks := make(chan ask, viewers)
			var n, batches atomic.Int64
			var all sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for range viewers {
				all.Go(func() {
					told := make(chan struct{})
					for {
						i := n.Add(1)
						if i > int64(b.N) {
							return
						}
						asks <- ask{buy(int(i)), told}
						<-told
					}
				})
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				d := commerce.NewDesk(id, st)
				var batch []ask
				for first := range asks {
					batch = append(batch[:0], first)
					for more := true; more && len(batch) < 1024; {
						select {
						case a, ok := <-asks:
							if more = ok; ok {
								batch = append(batch, a)
							}
						default:
							more = false
						}
					}
					reqs := make([]commerce.Request, len(batch))
					for i := range batch {
						reqs[i] = batch[i].claim
					}
					plan, _ := d.Plan(time.Now(), reqs)
					if err := db.Commit(b.Context(), plan); err != nil {
						b.Error(err)
						d.Rollback()
					} else {
						d.Commit()
					}
					batches.Add(1)
					for _, a := range batch {
						a.told <- struct{}{}
					}
				}
			}()
			all.Wait()
			close(asks)
			<-done
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
			b.ReportMetric(float64(b.N)/float64(batches.Load()), "decisions/batch")
		})
	}
}

// What pages, webhooks and sign-ins write gets its turn beside a committer that never rests.
func TestWritesBesideCommits(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		var ids []commerce.ID
		for i := range 4 {
			ids = append(ids, merchant(t, db, strconv.Itoa(i)))
			stockShop(t, db, ids[i])
		}
		var sellers, writers sync.WaitGroup
		enough := make(chan struct{})
		for _, id := range ids {
			sellers.Go(func() {
				st, err := db.Load(t.Context(), id)
				if err != nil {
					t.Error(err)
					return
				}
				d := commerce.NewDesk(id, st)
				for n := 0; ; n += 8 {
					select {
					case <-enough:
						return
					default:
					}
					var reqs []commerce.Request
					for i := range 8 {
						reqs = append(reqs, buy(n+i))
					}
					b, _ := d.Plan(time.Now(), reqs)
					if err := db.Commit(t.Context(), b); err != nil {
						t.Error(err)
						return
					}
					d.Commit()
				}
			})
		}
		for w := range 4 {
			writers.Go(func() {
				for i := range 25 {
					_, hook := db.PutWebhook(t.Context(), ids[w], Webhook{ID: fmt.Sprint(i), Topic: "orders/paid", Body: []byte("{}"), Came: time.Now()})
					_, member := db.PutMember(t.Context(), Member{Merchant: ids[w], Email: fmt.Sprint(i), Role: "owner"})
					session := db.PutSession(t.Context(), seal.NewToken(), Member{Merchant: ids[w], ID: 1}, time.Now().Add(time.Hour))
					channel := db.PutChannel(t.Context(), ids[w], Channel{Channel: chat.Channel{Platform: chat.Twitch, ID: fmt.Sprint(i)}})
					for _, err := range []error{hook, member, session, channel} {
						if err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		writers.Wait()
		close(enough)
		sellers.Wait()
	})
}
