package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The chat log is one JetStream stream for all merchants.
const (
	logStream = "CHAT"
	logAge    = 30 * 24 * time.Hour // how long a line is kept
	// logPending is how many records may wait for the log's confirmation; more are lost, counted, and never waited for.
	logPending = 16 << 10
)

// ErrLogFull means that the chat log is so far behind that it does not take the record. Claims are in SQL: only the
// log's copy is lost.
var ErrLogFull = errors.New("chat log is behind")

// Record is lines of one merchant, in the order in which they were decided.
type Record struct {
	Seq  uint64    // its place in the log; rising, with gaps
	At   time.Time // when the log took it
	Data []byte
}

func (b *Bus) openLog(ctx context.Context, replicas int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	s, err := b.js.Stream(ctx, logStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = b.js.CreateStream(ctx, jetstream.StreamConfig{
			Name:        logStream,
			Description: "hawker: chat lines with what was decided",
			Subjects:    []string{"chat.*.*"},
			Storage:     jetstream.FileStorage,
			MaxAge:      logAge,
			Discard:     jetstream.DiscardOld,
			Duplicates:  time.Second, // nothing is deduplicated by it; a small window costs no memory
			Replicas:    max(replicas, 1),
		})
	}
	if err != nil {
		return fmt.Errorf("open chat log: %w", err)
	}
	b.chats = s
	return nil
}

// Log appends a record to the chat log and waits for nothing: confirmations are read behind, and a record that is not confirmed is
// counted in Stats. It returns ErrLogFull when too many wait.
func (b *Bus) Log(merchant int64, data []byte) error {
	if b.js.PublishAsyncPending() >= logPending {
		b.logLost.Add(1)
		return ErrLogFull
	}
	if _, err := b.js.PublishAsync(Subject("chat", strconv.FormatInt(merchant, 10), "lines"), data); err != nil {
		b.logLost.Add(1)
		return fmt.Errorf("chat log: %w", b.wrap(err))
	}
	return nil
}

func (b *Bus) onLogError(_ jetstream.JetStream, m *nats.Msg, err error) {
	b.logLost.Add(1)
	b.log.Warn("chat log did not take a record", "subject", m.Subject, "err", err)
}

// Logged waits until all records given to Log before are confirmed or lost.
func (b *Bus) Logged(ctx context.Context) error {
	select {
	case <-b.js.PublishAsyncComplete():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Range says which part of a merchant's log to read.
type Range struct {
	Merchant int64
	From     uint64    // first sequence; 0 means by Since
	Since    time.Time // records taken at or after; zero means from the oldest. Ignored when From is set
	Until    time.Time // records taken before; zero means to the newest
	Limit    int       // most records; 0 means DefaultRange
}

// DefaultRange is how many records ReadLog gives when Range names no limit.
const DefaultRange = 1000

// ReadLog gives the records of a range, oldest first. To read on, ask again with From one more than the last Seq.
func (b *Bus) ReadLog(ctx context.Context, r Range) (records []Record, err error) {
	if r.Limit <= 0 {
		r.Limit = DefaultRange
	}
	cfg := jetstream.ConsumerConfig{
		FilterSubject:     Subject("chat", strconv.FormatInt(r.Merchant, 10)) + ".*", // older records have their channel there
		AckPolicy:         jetstream.AckNonePolicy,
		DeliverPolicy:     jetstream.DeliverAllPolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: 30 * time.Second, // the server's own cleaning, should ours fail
	}
	if r.From > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.From
	} else if !r.Since.IsZero() {
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &r.Since
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := b.chats.CreateConsumer(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("read chat log: %w", b.wrap(err))
	}
	info := c.CachedInfo()
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if e := b.chats.DeleteConsumer(end, info.Name); e != nil && err == nil {
			b.log.WarnContext(ctx, "chat log reader not removed", "err", e)
		}
	}()
	// What is in the log now; what comes while we read are for the next call.
	left := min(int(min(info.NumPending, uint64(r.Limit))), r.Limit)
	for left > 0 {
		batch, err := c.Fetch(min(left, 500), jetstream.FetchContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("read chat log: %w", b.wrap(err))
		}
		got := 0
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				return nil, fmt.Errorf("read chat log: %w", err)
			}
			got++
			if !r.Until.IsZero() && !meta.Timestamp.Before(r.Until) {
				return records, nil
			}
			records = append(records, Record{Seq: meta.Sequence.Stream, At: meta.Timestamp, Data: m.Data()})
		}
		if err := batch.Error(); err != nil {
			return nil, fmt.Errorf("read chat log: %w", b.wrap(err))
		}
		if got == 0 {
			break // erased or aged while we read
		}
		left -= got
	}
	return records, nil
}

// EraseLog removes records from the log and overwrites them on disk. A record that is gone already is no error.
func (b *Bus) EraseLog(ctx context.Context, seqs ...uint64) error {
	for _, seq := range seqs {
		err := b.chats.SecureDeleteMsg(ctx, seq)
		if err == nil {
			continue
		}
		// The server has one code for all that can go wrong here, so the record itself is asked for.
		if _, missing := b.chats.GetMsg(ctx, seq); !errors.Is(missing, jetstream.ErrMsgNotFound) {
			return fmt.Errorf("erase record %d of the chat log: %w", seq, b.wrap(err))
		}
	}
	return nil
}
