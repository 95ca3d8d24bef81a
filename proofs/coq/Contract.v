(** [MSContract]: custody, agreement and dispute of every basic channel (protocol, section 3).

    Each function reads, as in [perun.spec]: what refuses the call, what is stored, what is paid.
    A refused call changes nothing, because it gives no new world.

    Everything that strangers decide comes in as [Strangers]: how much a token brings, which
    payouts arrive, what nanocontracts answer.  They may answer differently at every call; no
    theorem that does not say so expects any sense of them. *)

From Perun Require Export Types.

Inductive Refusal :=
  | TooLate | DisputeStillOpen | ValidUntilTooFar | DeadlineTooFar | WrongValue
  | AmountTooLarge | ShareTooSmall | NotAParty | WrongSigner | EmptyChannel | InDispute
  | NotInDispute | StateMismatch | Insolvent | VersionZeroNotEmpty | TooManyNanos
  | NanosNotAscending | TooMuchEvidence | AlreadyDrawn | WrongIndex | InsufficientCredit
  | ZeroAddress | ClaimFailed | TokenRefused | Malformed.

Inductive Result (A : Type) := Done (value : A) | Refused (why : Refusal).
Arguments Done {A}. Arguments Refused {A}.

Definition bind {A B} (r : Result A) (f : A -> Result B) : Result B :=
  match r with Done a => f a | Refused why => Refused why end.
Notation "'do' x <- r ; k" := (bind r (fun x => k)) (at level 200, x pattern, r at level 100).
Notation "'check' c 'else' why ; k" :=
  (if c then k else Refused why) (at level 200, c at level 100, why at level 100).

(** The contract's two kinds of slot, credit, its balances, the clock; and what the theorems speak
    of, which no contract keeps: all that ever came into a channel and went out of it, how, and
    whose word was given by sending a transaction. *)
Record World := {
  now : Z;
  balance : Asset -> Z;
  funds : Key -> Funds;
  disputes : Key -> option Dispute;
  credits : Purse -> Z;
  deposited : Key -> Z;
  paid : Key -> Z;
  payouts : list Payout;
  sent : list (Address * Message)
}.

Record Strangers := {
  arrives : Z -> option Z;          (** of so many tokens pulled; None: the token refuses *)
  delivers : Address -> bool;       (** does a payout to this account arrive? *)
  outcome : Nano -> option Z        (** what its app answers: "done" with a shift, or anything else *)
}.

Definition start : World := {|
  now := 0; balance := fun _ => 0; funds := fun _ => nothing; disputes := fun _ => None;
  credits := fun _ => 0; deposited := fun _ => 0; paid := fun _ => 0; payouts := []; sent := []
|}.

Section Contract.
Variable self : Address.  (** where the contract stands *)

(** ** What is where *)

Definition key (c : Channel) : Key := (asset c, id_of c).

Definition with_now w t := {| now := t; balance := balance w; funds := funds w;
  disputes := disputes w; credits := credits w; deposited := deposited w; paid := paid w;
  payouts := payouts w; sent := sent w |}.
Definition with_balance w a b := {| now := now w; balance := update Z.eq_dec (balance w) a b;
  funds := funds w; disputes := disputes w; credits := credits w; deposited := deposited w;
  paid := paid w; payouts := payouts w; sent := sent w |}.
Definition with_funds w k f := {| now := now w; balance := balance w;
  funds := update Key_eq_dec (funds w) k f; disputes := disputes w; credits := credits w;
  deposited := deposited w; paid := paid w; payouts := payouts w; sent := sent w |}.
Definition with_dispute w k d := {| now := now w; balance := balance w; funds := funds w;
  disputes := update Key_eq_dec (disputes w) k d; credits := credits w;
  deposited := deposited w; paid := paid w; payouts := payouts w; sent := sent w |}.
Definition with_credit w p c := {| now := now w; balance := balance w; funds := funds w;
  disputes := disputes w; credits := update Purse_eq_dec (credits w) p c;
  deposited := deposited w; paid := paid w; payouts := payouts w; sent := sent w |}.
Definition with_deposited w k d := {| now := now w; balance := balance w; funds := funds w;
  disputes := disputes w; credits := credits w;
  deposited := update Key_eq_dec (deposited w) k d; paid := paid w; payouts := payouts w;
  sent := sent w |}.
Definition with_paid w k p := {| now := now w; balance := balance w; funds := funds w;
  disputes := disputes w; credits := credits w; deposited := deposited w;
  paid := update Key_eq_dec (paid w) k p; payouts := payouts w; sent := sent w |}.
Definition with_payout w p := {| now := now w; balance := balance w; funds := funds w;
  disputes := disputes w; credits := credits w; deposited := deposited w; paid := paid w;
  payouts := p :: payouts w; sent := sent w |}.
Definition with_sent w s := {| now := now w; balance := balance w; funds := funds w;
  disputes := disputes w; credits := credits w; deposited := deposited w; paid := paid w;
  payouts := payouts w; sent := s :: sent w |}.

(** ** How money moves *)

(** From the caller; what arrives counts. *)
Definition pull (w : World) (o : Strangers) (value : Z) (a : Asset) (amount : Z)
  : Result (World * Z) :=
  let due := if a =? ETH then amount else 0 in
  check value =? due else WrongValue;
  if a =? ETH then Done (with_balance w a (balance w a + amount), amount)
  else match arrives o amount with
       | Some n => check 0 <=? n else TokenRefused;
                   Done (with_balance w a (balance w a + n), n)
       | None => Refused TokenRefused
       end.

(** Credit stops at the greatest number; only a token that lies about balances gets there. *)
(* Bytecode: check_credit_stops. *)
Definition give_credit (w : World) (a : Asset) (account : Address) (amount : Z) : World :=
  let has := credits w (a, account) in
  with_credit w (a, account) (has + Z.min amount (MOST_CREDIT - has)).

Definition debit (w : World) (a : Asset) (account : Address) (amount : Z) : Result World :=
  let has := credits w (a, account) in
  check amount <=? has else InsufficientCredit;
  Done (with_credit w (a, account) (has - amount)).

(* Bytecode: check_raise. *)
Definition raise_sides (w : World) (k : Key) (to_a to_b : Z) (draws : bool) : Result World :=
  let old := funds w k in
  check (of_alice old + to_a <=? MAX_AMOUNT) && (to_a <=? MAX_AMOUNT) else AmountTooLarge;
  check (of_bob old + to_b <=? MAX_AMOUNT) && (to_b <=? MAX_AMOUNT) else AmountTooLarge;
  let w := with_funds w k {| of_alice := of_alice old + to_a; of_bob := of_bob old + to_b;
                             withdrawals := withdrawals old; drawn := drawn old || draws |} in
  Done (with_deposited w k (deposited w k + to_a + to_b)).

(** Pay out of a channel; what cannot be delivered becomes the account's credit. *)
Definition pay (w : World) (o : Strangers) (k : Key) (to : Address) (amount : Z) (credit : bool)
  : World :=
  if amount =? 0 then w
  else
    let w := with_paid w k (paid w k + amount) in
    if credit || negb (delivers o to) then give_credit w (fst k) to amount
    else with_balance w (fst k) (balance w (fst k) - amount).

Definition pay_out (w : World) (o : Strangers) (p : Payout) (to_credit : Z) : World :=
  let w := with_payout w p in
  let k := key (of_channel p) in
  let w := pay w o k (alice (of_channel p)) (alice_paid p) (Z.testbit to_credit 0) in
  pay w o k (bob (of_channel p)) (bob_paid p) (Z.testbit to_credit 1).

(** ** What both parties have agreed to *)

(* Bytecode: check_65_bytes, check_64_bytes, check_other_lengths. *)
Definition recover (m : Message) (s : Signature) : Address :=
  match s with
  | Signed k m' => if Message_eq_dec m m' then k else ZERO_ADDRESS
  | _ => ZERO_ADDRESS
  end.

Definition signed (signer : Address) (m : Message) (s : Signature) : bool :=
  (recover m s =? signer) && negb (recover m s =? ZERO_ADDRESS).

Definition given (s : Signature) : bool := match s with Unsigned => false | _ => true end.

(** A party signed with its key, or sends the transaction from its account or key. *)
Definition agrees (caller account k : Address) (m : Message) (s : Signature) : bool :=
  if given s || negb ((caller =? account) || (caller =? k)) then signed k m s else true.

Definition both_agree (w : World) (c : Channel) (caller : Address) (m : Message)
  (by_alice by_bob : Signature) : Result World :=
  check agrees caller (alice c) (alice_key c) m by_alice else WrongSigner;
  check agrees caller (bob c) (bob_key c) m by_bob else WrongSigner;
  Done (with_sent w (caller, m)).

Definition free_of_alice (f : Funds) (net : Z) (nanos : list Nano) : Z :=
  of_alice f - net - sum alice_lock nanos.
Definition free_of_bob (f : Funds) (net : Z) (nanos : list Nano) : Z :=
  of_bob f + net - sum bob_lock nanos.
Definition solvent (f : Funds) (net : Z) (nanos : list Nano) : bool :=
  (0 <=? free_of_alice f net nanos) && (0 <=? free_of_bob f net nanos).

Fixpoint ascending (nanos : list Nano) : bool :=
  match nanos with
  | a :: (b :: _) as rest =>
      ((nano_id a <? nano_id b) || ((nano_id a =? nano_id b) && (app a <? app b)))
      && ascending rest
  | _ => true
  end.

(* Bytecode: check_registered_states_are_solvent. *)
Definition check_state (w : World) (c : Channel) (caller : Address) (v net : Z)
  (nanos : list Nano) (by_alice by_bob : Signature) : Result World :=
  do w <- (if v =? 0
           then check (net =? 0) && (length nanos =? 0)%nat else VersionZeroNotEmpty; Done w
           else both_agree w c caller (State (id_of c) v net nanos) by_alice by_bob);
  check (length nanos <=? MAX_NANOS)%nat else TooManyNanos;
  check ascending nanos else NanosNotAscending;
  check (sum alice_lock nanos <=? MAX_AMOUNT) && (sum bob_lock nanos <=? MAX_AMOUNT)
    else AmountTooLarge;
  check solvent (funds w (key c)) net nanos else Insolvent;
  Done w.

(** ** What a nanocontract's answer does to the money locked under it *)

(* Bytecode: check_clamp. *)
Definition clamp (n : Nano) (s : Z) : Z :=
  Z.max (- bob_lock n) (Z.min (if swapped n then - s else s) (alice_lock n)).

(** What [n] has decided, or None while its locks have to wait. *)
Definition resolve (t : Z) (o : Strangers) (n : Nano) : option Resolved :=
  match outcome o n with
  | Some s => if (- 2 ^ 111 <=? s) && (s <? 2 ^ 111)
              then Some {| nano := n; shift := clamp n s |}
              else if expiry n <? t then Some {| nano := n; shift := 0 |} else None
  | None => if expiry n <? t then Some {| nano := n; shift := 0 |} else None
  end.

Fixpoint answers (t : Z) (o : Strangers) (nanos : list Nano) : list Resolved * list Nano :=
  match nanos with
  | [] => ([], [])
  | n :: rest =>
      let (done, waiting) := answers t o rest in
      match resolve t o n with
      | Some r => (r :: done, waiting)
      | None => (done, n :: waiting)
      end
  end.

(** ** Money in *)

Definition by_party (c : Channel) (caller : Address) : bool :=
  (caller =? alice c) || (caller =? bob c).

Definition deposit_into (w : World) (o : Strangers) (value : Z) (k : Key) (to_bob : bool)
  (amount : Z) : Result World :=
  do (w, arrived) <- pull w o value (fst k) amount;
  match disputes w k with
  | Some _ => Refused InDispute
  | None => raise_sides w k (if to_bob then 0 else arrived) (if to_bob then arrived else 0) false
  end.

(* Bytecode: check_open_raises_the_callers_side. *)
Definition open (w : World) (o : Strangers) (caller value : Z) (c : Channel) (amount valid_until : Z)
  : Result World :=
  check by_party c caller else NotAParty;
  check now w <=? valid_until else TooLate;
  deposit_into w o value (key c) (negb (caller =? alice c)) amount.

(* Bytecode: check_deposit_raises_one_side, check_no_deposit_in_a_dispute. *)
Definition deposit (w : World) (o : Strangers) (value : Z) (a : Asset) (id : ChannelId)
  (to_bob : bool) (amount valid_until : Z) : Result World :=
  check now w <=? valid_until else TooLate;
  deposit_into w o value (a, id) to_bob amount.

(* Bytecode: replayed. *)
Definition open_both (w : World) (o : Strangers) (caller value : Z) (c : Channel)
  (alice_amount bob_amount valid_until : Z) (s : Signature) : Result World :=
  check by_party c caller else NotAParty;
  check now w <=? valid_until else TooLate;
  check valid_until <=? now w + challenge c else ValidUntilTooFar;
  let by_alice := caller =? alice c in
  let drawn_on := if by_alice then bob c else alice c in
  let share := if by_alice then alice_amount else bob_amount in
  let draws := if by_alice then bob_amount else alice_amount in
  check signed drawn_on (Open (id_of c) alice_amount bob_amount valid_until) s else WrongSigner;
  do (w, arrived) <- pull w o value (asset c) share;
  check share <=? arrived else ShareTooSmall;
  match disputes w (key c) with
  | Some _ => Refused InDispute
  | None =>
      check negb (drawn (funds w (key c))) else AlreadyDrawn;
      do w <- debit w (asset c) drawn_on draws;
      raise_sides w (key c) (if by_alice then arrived else draws)
                            (if by_alice then draws else arrived) true
  end.

(* Bytecode: check_fund_raises_credit. *)
Definition fund (w : World) (o : Strangers) (value : Z) (a : Asset) (account : Address)
  (amount : Z) : Result World :=
  check negb (account =? ZERO_ADDRESS) else ZeroAddress;
  do (w, arrived) <- pull w o value a amount;
  Done (give_credit w a account arrived).

(** ** Money out *)

Definition empty (w : World) (k : Key) : bool :=
  let f := funds w k in
  (of_alice f =? 0) && (of_bob f =? 0) && (withdrawals f =? 0) && negb (drawn f)
  && match disputes w k with None => true | Some _ => false end.

Definition before_deadline (w : World) (k : Key) : bool :=
  match disputes w k with None => true | Some d => now w <=? deadline d end.

(* Bytecode: check_close_pays_what_is_there. *)
Definition close (w : World) (o : Strangers) (caller : Address) (c : Channel)
  (net valid_until to_credit : Z) (by_alice by_bob : Signature) : Result World :=
  let k := key c in
  check negb (empty w k) else EmptyChannel;
  check now w <=? valid_until else TooLate;
  check before_deadline w k else TooLate;
  do w <- both_agree w c caller (Close (id_of c) net valid_until to_credit) by_alice by_bob;
  let f := funds w k in
  check solvent f net [] else Insolvent;
  let w := with_dispute (with_funds w k nothing) k None in
  Done (pay_out w o {| of_channel := c; before := f; payout_net := net; resolved := [];
                       remaining := []; alice_paid := free_of_alice f net [];
                       bob_paid := free_of_bob f net []; payout_version := None;
                       was_settling := false |} to_credit).

(* Bytecode: check_withdraw_lowers_both_sides. *)
Definition withdraw (w : World) (o : Strangers) (caller : Address) (c : Channel)
  (index alice_amount bob_amount valid_until : Z) (by_alice by_bob : Signature) : Result World :=
  let k := key c in
  match disputes w k with
  | Some _ => Refused InDispute
  | None =>
      check now w <=? valid_until else TooLate;
      let f := funds w k in
      check (index =? withdrawals f) && negb (index =? MOST_WITHDRAWALS) else WrongIndex;
      do w <- both_agree w c caller (Withdraw (id_of c) index alice_amount bob_amount valid_until)
                         by_alice by_bob;
      let a := of_alice f - alice_amount in
      let b := of_bob f - bob_amount in
      check 0 <=? a + b else Insolvent;
      let w := with_funds w k {| of_alice := a; of_bob := b; withdrawals := index + 1;
                                 drawn := drawn f |} in
      let w := pay w o k (alice c) alice_amount false in
      Done (pay w o k (bob c) bob_amount false)
  end.

(** The only payment that fails instead of becoming credit. *)
(* Bytecode: check_claim_lowers_credit. *)
Definition claim (w : World) (o : Strangers) (caller : Address) (a : Asset) (amount : Z)
  (to : Address) : Result World :=
  check negb (to =? ZERO_ADDRESS) else ZeroAddress;
  do w <- debit w a caller amount;
  if amount =? 0 then Done w
  else
    check negb (to =? self) else ClaimFailed;
    check delivers o to else (if a =? ETH then ClaimFailed else TokenRefused);
    Done (with_balance w a (balance w a - amount)).

(** ** Disputes *)

Definition first_deadline (w : World) (c : Channel) (caller : Address) : Result Z :=
  check by_party c caller || (caller =? alice_key c) || (caller =? bob_key c) else NotAParty;
  check negb ((of_alice (funds w (key c)) =? 0) && (of_bob (funds w (key c)) =? 0))
    else EmptyChannel;
  check now w + challenge c <=? MAX_DEADLINE else DeadlineTooFar;
  Done (now w + challenge c).

(** Open a dispute with a state, or answer one with a newer state.  A version that is not higher is
    not even looked at and does no harm [A5].  Evidence goes to apps, which are strangers. *)
(* Bytecode: check_a_newer_state_replaces. *)
Definition register (w : World) (caller : Address) (c : Channel) (v net : Z) (nanos : list Nano)
  (by_alice by_bob : Signature) (evidence : nat) : Result World :=
  let k := key c in
  do until <- match disputes w k with
              | Some d => check now w <=? deadline d else TooLate; Done (deadline d)
              | None => first_deadline w c caller
              end;
  do w <- match disputes w k with
          | Some d =>
              if v <=? version d then Done w
              else
                do w <- check_state w c caller v net nanos by_alice by_bob;
                Done (with_dispute w k (Some {| version := v; deadline := until;
                  registered_net := net; registered_nanos := nanos; settling := false |}))
          | None =>
              do w <- check_state w c caller v net nanos by_alice by_bob;
              Done (with_dispute w k (Some {| version := v; deadline := until;
                registered_net := net; registered_nanos := nanos; settling := false |}))
          end;
  check (evidence <=? length nanos)%nat else TooMuchEvidence;
  Done w.

(** After the deadline: pay free money at once, and every nano that is resolved [B3]. *)
(* Bytecode: check_settle_pays_what_was_registered. *)
Definition settle (w : World) (o : Strangers) (c : Channel) (net : Z) (nanos : list Nano)
  : Result World :=
  let k := key c in
  match disputes w k with
  | None => Refused NotInDispute
  | Some d =>
      check deadline d <? now w else DisputeStillOpen;
      check (net =? registered_net d)
            && (if list_eq_dec Nano_eq_dec nanos (registered_nanos d) then true else false)
        else StateMismatch;
      let (done, waiting) := answers (now w) o nanos in
      if settling d && (length done =? 0)%nat then Done w
      else
        let f := funds w k in
        check solvent f net nanos else Insolvent;
        let a := free_of_alice f net nanos + sum to_alice done in
        let b := free_of_bob f net nanos + sum to_bob done in
        let w :=
          if (length waiting =? 0)%nat
          then with_dispute (with_funds w k nothing) k None
          else
            with_dispute
              (with_funds w k {| of_alice := sum alice_lock waiting;
                                 of_bob := sum bob_lock waiting;
                                 withdrawals := withdrawals f; drawn := drawn f |})
              k (Some {| version := version d; deadline := deadline d; registered_net := 0;
                         registered_nanos := waiting; settling := true |}) in
        Done (pay_out w o {| of_channel := c; before := f; payout_net := net; resolved := done;
                             remaining := waiting; alice_paid := a; bob_paid := b;
                             payout_version := Some (version d); was_settling := settling d |} 0)
  end.

(** [settle] for many; an item that does not match is skipped and stops nobody [C4]. *)
(* Bytecode: replayed. *)
Fixpoint settle_many (w : World) (o : Strangers) (items : list (Channel * Z * list Nano))
  : Result World :=
  match items with
  | [] => Done w
  | (c, net, nanos) :: rest =>
      match settle w o c net nanos with
      | Done w => settle_many w o rest
      | Refused NotInDispute | Refused DisputeStillOpen | Refused StateMismatch =>
          settle_many w o rest
      | Refused why => Refused why
      end
  end.

(** ** Calls *)

Inductive Call :=
  | call_open (c : Channel) (amount valid_until : Z)
  | call_open_both (c : Channel) (alice_amount bob_amount valid_until : Z) (s : Signature)
  | call_deposit (a : Asset) (id : ChannelId) (to_bob : bool) (amount valid_until : Z)
  | call_close (c : Channel) (net valid_until to_credit : Z) (by_alice by_bob : Signature)
  | call_withdraw (c : Channel) (index alice_amount bob_amount valid_until : Z)
                  (by_alice by_bob : Signature)
  | call_register (c : Channel) (v net : Z) (nanos : list Nano) (by_alice by_bob : Signature)
                  (evidence : nat)
  | call_settle (c : Channel) (net : Z) (nanos : list Nano)
  | call_settle_many (items : list (Channel * Z * list Nano))
  | call_fund (a : Asset) (account : Address) (amount : Z)
  | call_claim (a : Asset) (amount : Z) (to : Address).

(** A word that does not fit its type reverts, read or not (section 2). *)
Definition uint (bits x : Z) : bool := (0 <=? x) && (x <? 2 ^ bits).
Definition int112 (x : Z) : bool := (- 2 ^ 111 <=? x) && (x <? 2 ^ 111).
Definition channel_fits (c : Channel) : bool := uint 32 (challenge c) && uint 64 (nonce c).
Definition nano_fits (n : Nano) : bool :=
  uint 112 (alice_lock n) && uint 112 (bob_lock n) && uint 40 (expiry n).
Definition item_fits (i : Channel * Z * list Nano) : bool :=
  let '(c, net, nanos) := i in channel_fits c && int112 net && forallb nano_fits nanos.

Definition fits (call : Call) : bool :=
  match call with
  | call_open c amount valid_until => channel_fits c && uint 112 amount && uint 40 valid_until
  | call_open_both c a b valid_until _ =>
      channel_fits c && uint 112 a && uint 112 b && uint 40 valid_until
  | call_deposit _ _ _ amount valid_until => uint 112 amount && uint 40 valid_until
  | call_close c net valid_until to_credit _ _ =>
      channel_fits c && int112 net && uint 40 valid_until && uint 8 to_credit
  | call_withdraw c index a b valid_until _ _ =>
      channel_fits c && uint 32 index && uint 112 a && uint 112 b && uint 40 valid_until
  | call_register c v net nanos _ _ _ =>
      channel_fits c && uint 48 v && int112 net && forallb nano_fits nanos
  | call_settle c net nanos => item_fits (c, net, nanos)
  | call_settle_many items => forallb item_fits items
  | call_fund _ _ amount => uint 256 amount
  | call_claim _ amount _ => uint 256 amount
  end.

Definition run (w : World) (o : Strangers) (caller value : Z) (call : Call) : Result World :=
  check fits call else Malformed;
  match call with
  | call_open c amount valid_until => open w o caller value c amount valid_until
  | call_open_both c a b valid_until s => open_both w o caller value c a b valid_until s
  | call_deposit a id to_bob amount valid_until => deposit w o value a id to_bob amount valid_until
  | call_fund a account amount => fund w o value a account amount
  | _ =>
      check value =? 0 else WrongValue;  (* not payable *)
      match call with
      | call_close c net valid_until to_credit sa sb =>
          close w o caller c net valid_until to_credit sa sb
      | call_withdraw c index a b valid_until sa sb =>
          withdraw w o caller c index a b valid_until sa sb
      | call_register c v net nanos sa sb evidence =>
          register w caller c v net nanos sa sb evidence
      | call_settle c net nanos => settle w o c net nanos
      | call_settle_many items => settle_many w o items
      | call_claim a amount to => claim w o caller a amount to
      | _ => Refused Malformed
      end
  end.

End Contract.
