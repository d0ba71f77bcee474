//! What a network is: typed values with static shapes, and the operations between them.
