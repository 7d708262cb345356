//! A shop for home goods.

use super::{Talk, Tool, Topic, tool};
use crate::demo::measured::Does::{HandOver, Identify, Read, Think, Write};

const NO_ORDER: &str = "Error: order {order} not found";

const RETURN: Tool = tool(
    "return_items",
    Write,
    r#"{"order":"{order}","items":[{sku}],"refund_to":"original"}"#,
    r#"{"order":"{order}","return":"requested","refund":{price},"label":"sent to {email}"}"#,
    &["Error: order {order} is not delivered and cannot be returned", "Error: item {sku} is past its return window"],
);
const EXCHANGE: Tool = tool(
    "exchange_items",
    Write,
    r#"{"order":"{order}","items":[{sku}],"new_items":[8{sku}]}"#,
    r#"{"order":"{order}","exchange":"requested","difference":{fee}}"#,
    &["Error: the number of new items should match the number of items", "Error: item 8{sku} is out of stock"],
);
const CANCEL: Tool = tool(
    "cancel_order",
    Write,
    r#"{"order":"{order}","reason":"no longer needed"}"#,
    r#"{"order":"{order}","status":"cancelled","refund":{total}}"#,
    &["Error: order {order} has been shipped and cannot be cancelled"],
);
const ADDRESS: Tool = tool(
    "change_address",
    Write,
    r#"{"order":"{order}","street":"{street}","city":"{city}"}"#,
    r#"{"order":"{order}","ship_to":"{street}, {city}","status":"pending"}"#,
    &["Error: address could not be verified"],
);
const MODIFY: Tool = tool(
    "modify_items",
    Write,
    r#"{"order":"{order}","remove":[{sku}],"add":[8{sku}]}"#,
    r#"{"order":"{order}","status":"pending (modified)","total":{total}}"#,
    &[
        "Error: a pending order can be modified only once",
        "Error: the number of new items should match the number of items",
    ],
);

/// How it talks.
pub(in crate::demo) static RETAIL: Talk = Talk {
    topics: &[
        Topic {
            title: "Return of a {item} ({order})",
            openings: &[
                "Hi, the {item} from my order arrived and it isn’t what I expected. I’d like to send it back.",
                "I want to return the {item} I bought, it doesn’t fit the room at all.",
                "Hello! One thing in my last order, the {item}, came with a scratch. Can I return it for a refund?",
            ],
            confirm: "I can return the {item} from {order} and refund ${price} to your original payment. Shall I go ahead?",
            acts: &[RETURN],
            done: &[
                "Your return is set up. The label is on its way to {email}, and ${price} will be refunded once the {item} is back.",
                "All done: a refund of ${price} follows within five days of our receiving the {item}.",
            ],
        },
        Topic {
            title: "Exchange of a {item}",
            openings: &[
                "Can I swap the {item} in order {order} for another colour?",
                "Hey, I ordered the wrong size of the {item}. I’d like to exchange it, please.",
            ],
            confirm: "The exchange of your {item} costs ${fee} more. Is that all right with you?",
            acts: &[EXCHANGE],
            done: &[
                "The exchange is requested. We’ll send the new {item} as soon as the first one is scanned at the depot.",
            ],
        },
        Topic {
            title: "Cancel order {order}",
            openings: &[
                "Please cancel my order, I found the {item} closer to home.",
                "I need to cancel {order} before it ships. Is that still possible?",
            ],
            confirm: "Order {order} is still pending. If I cancel it, ${total} goes back to your card. Shall I?",
            acts: &[CANCEL],
            done: &["{order} is cancelled and ${total} is on its way back to you."],
        },
        Topic {
            title: "New address for {order}",
            openings: &[
                "I moved last week! Can you send my order to the new place instead? It’s {street}, {city}.",
                "My order is going to the wrong address, it should be {street} in {city}.",
            ],
            confirm: "I’ll change the delivery of {order} to {street}, {city}. Correct?",
            acts: &[ADDRESS],
            done: &["Done. {order} now ships to {street}, {city}."],
        },
        Topic {
            title: "Change items in {order}",
            openings: &["In {order} I’d rather have the {item2} than the {item}. Can that be changed?"],
            confirm: "I can replace the {item} by the {item2}; the new total is ${total}. This can be done only once. Go ahead?",
            acts: &[MODIFY],
            done: &["Your order now has the {item2}; its total is ${total}."],
        },
    ],
    asks: &[
        "I’m happy to help. What’s the email address of your account?",
        "Of course. So that I can find your order, could you tell me your email or your name and zip code?",
    ],
    gives: &["Sure, it’s {email}.", "{email}, name {name}.", "{name}. The email should be {email}."],
    yeses: &["Yes, please.", "Yes, go ahead.", "That’s fine, do it.", "Yep, sounds good."],
    asides: &[
        ("I see two orders on your account. You mean {order}, with the {item}?", "Yes, that one."),
        ("Is it all right if the refund goes to the card you paid with?", "The same card is fine."),
        ("Would you like me to check the delivery date of the rest as well?", "Yes please, if it’s quick."),
        ("Could you tell me what is wrong with the {item}?", "It’s smaller than in the pictures."),
        ("The order has a {item2} too. Should that stay as it is?", "Yes, keep the {item2}."),
    ],
    thanks: &["Great, thank you!", "Perfect, that’s all I needed.", "Thanks, that was quick.", "Lovely, thanks a lot."],
    bye: &["You’re welcome, {first}. Have a good day!", "Glad I could help. Take care!"],
    sorry: &[
        "I’m sorry, I can’t do that for {order} under our return rules.",
        "Unfortunately the system doesn’t let me change this order. You could try again tomorrow.",
    ],
    gripes: &[
        "That did not solve my problem.",
        "So this did not solve anything, thanks.",
        "You did not solve it. I’ll call my bank.",
    ],
    handover: &["Let me bring in a colleague who can decide this. They’ll have everything you told me."],
    tools: &[
        tool(
            "find_customer",
            Identify,
            r#"{"email":"{email}"}"#,
            r#"{"user":"{user}","name":"{name}"}"#,
            &["Error: user not found"],
        ),
        tool(
            "get_customer",
            Identify,
            r#"{"user":"{user}"}"#,
            r#"{"user":"{user}","name":"{name}","city":"{city}","orders":["{order}"]}"#,
            &["Error: user not found"],
        ),
        tool(
            "get_order",
            Read,
            r#"{"order":"{order}"}"#,
            r#"{"order":"{order}","status":"delivered","items":[{"sku":{sku},"name":"{item}","price":{price}}],"total":{total}}"#,
            &[NO_ORDER],
        ),
        tool(
            "get_product",
            Read,
            r#"{"sku":{sku}}"#,
            r#"{"sku":{sku},"name":"{item}","price":{price},"in_stock":true,"variants":[{sku},8{sku}]}"#,
            &["Error: product {sku} not found"],
        ),
        tool(
            "track_parcel",
            Read,
            r#"{"order":"{order}"}"#,
            r#"{"order":"{order}","carrier":"Parcelway","eta":"{date}"}"#,
            &[NO_ORDER],
        ),
        tool(
            "calculate",
            Think,
            r#"{"expression":"{total} - {fee}"}"#,
            r#"{"result":{price}}"#,
            &["Error: not an expression"],
        ),
        tool(
            "transfer_to_human",
            HandOver,
            r#"{"summary":"{name} wants an exception for {order}","queue":"support"}"#,
            r#"{"transferred":true,"ticket":"{ticket}"}"#,
            &[],
        ),
    ],
    closing: Some(tool(
        "close_ticket",
        Write,
        r#"{"ticket":"{ticket}","resolution":"solved"}"#,
        r#"{"ticket":"{ticket}","state":"closed"}"#,
        &["Error: ticket {ticket} is locked by another agent"],
    )),
    most_tools: 13,
};
