-- In balances.csv the opening balance and the movements give the closing balance.
select
    environment || ':' || partner_id || ':' || asset as balance,
    'opening ' || opening || ' and its movements do not give ' || closing as problem
from published_balances
where
    try_cast(opening as decimal(38, 18)) + try_cast(funding as decimal(38, 18)) + try_cast(debits as decimal(38, 18)) + try_cast(refunds as decimal(38, 18))
    + try_cast(returns as decimal(38, 18)) + try_cast(fees as decimal(38, 18)) + try_cast(adjustments as decimal(38, 18))
    is distinct from try_cast(closing as decimal(38, 18))
