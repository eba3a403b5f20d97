------------------------------ MODULE OpenTxn ------------------------------
(***************************************************************************)
(* How long may the journal's transaction stay open?  Facts open it, and     *)
(* nobody waits for its commit.  Were it left open while no event gets ready *)
(* (an outage, Retry-After, a slow API), the coordinator would end it at     *)
(* transaction.timeout.ms AND fence its owner: a healthy owner would lose    *)
(* the partition, and every call on its way its answer.                      *)
(*                                                                          *)
(* A task wakes every Wake ticks and commits a transaction that is at least  *)
(* Threshold old: no new write may begin, those under way end within          *)
(* WriteTakes (the intent's validity), the commit takes CommitTakes at most. *)
(* (The worker writes one batch at a time; here writes may overlap.)          *)
(* The settlement's transaction is begun only when there is something to     *)
(* settle, and ended within the commit time-out: CommitTakes < Timeout.      *)
(***************************************************************************)
EXTENDS Integers
CONSTANTS Timeout,     \* transaction.timeout.ms
          Wake, Threshold, WriteTakes, CommitTakes,
          Commits,     \* FALSE: nothing but a settlement would end the transaction
          BarsWrites   \* FALSE: a commit waits for a moment without writes, and bars none
VARIABLES age,         \* of the open transaction; -1: none
          asleep,      \* ticks until the task wakes
          write,       \* ticks that the newest and the oldest write under way take already; -1: none
          phase        \* of the commit: No | Waits (for writes to end) | ticks that it takes already
vars == <<age, asleep, write, phase>>
None  == <<-1, -1>>
No    == -2
Waits == -1
Init == age = -1 /\ asleep = Wake /\ write = None /\ phase = No
Committing == phase >= 0
Begin == /\ ~Committing /\ (phase = Waits => ~BarsWrites)
         /\ write' = <<0, IF write[2] = -1 THEN 0 ELSE write[2]>> /\ age' = (IF age = -1 THEN 0 ELSE age)
         /\ UNCHANGED <<asleep, phase>>
OldestEnds == write # None /\ write' = (IF write[1] = write[2] THEN None ELSE <<write[1], write[1]>>)
              /\ UNCHANGED <<age, asleep, phase>>
Wakes == /\ asleep = 0 /\ phase = No
         /\ IF Commits /\ age >= Threshold THEN phase' = Waits /\ UNCHANGED asleep ELSE asleep' = Wake /\ UNCHANGED phase
         /\ UNCHANGED <<age, write>>
Commit == phase = Waits /\ write = None /\ phase' = 0 /\ UNCHANGED <<age, asleep, write>>
Done == Committing /\ age' = -1 /\ phase' = No /\ asleep' = Wake /\ UNCHANGED write
Older(x) == IF x = -1 THEN -1 ELSE x + 1
Tick == /\ age < Timeout
        /\ write[2] < WriteTakes /\ (Committing => phase < CommitTakes)     \* each has a time-out
        /\ ~(asleep = 0 /\ phase = No) /\ ~(phase = Waits /\ write = None)   \* what can go on, goes on
        /\ age' = Older(age) /\ write' = <<Older(write[1]), Older(write[2])>>
        /\ phase' = (IF Committing THEN phase + 1 ELSE phase)
        /\ asleep' = (IF asleep > 0 THEN asleep - 1 ELSE asleep)
Next == Begin \/ OldestEnds \/ Wakes \/ Commit \/ Done \/ Tick
Spec == Init /\ [][Next]_vars
HealthyIsNeverFenced == age < Timeout
=============================================================================
