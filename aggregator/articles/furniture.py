"""Lines editors and sites put round an article, by their wording: they are no part of what it says.

``plaintext`` takes out what the rules of a site name; this is what the trade has in common.
"""

from __future__ import annotations

import re

_LONGEST = 160  # characters; a longer line is a paragraph, whatever words are in it
_FIELD = re.compile(
    r"[(\s]*(?:每经|本报|实习|见习|特约|财经|新浪财经|本文|文章|图片|数据|内容|资料)*"
    r"(?:来源|编辑|责编|责任编辑|作者|校对|校审|审校|审核|记者|撰文|采写|摄影|制图|统筹|文|原标题|转自|出品|监制|翻译|编译)"
    r"(?:\s*[:|丨/]|\s+(?=\S)).{0,80}"
)
_NOTICE = re.compile(
    r"免责声明|风险提示[:]|不构成.{0,12}投资建议|风险自担|自负盈亏|投资有风险|入市需谨慎|据此(?:操作|入市|投资)"
    r"|仅代表.{0,12}(?:作者|本人|个人).{0,6}观点|不代表.{0,16}(?:立场|观点)|版权(?:归|所有)|未经.{0,8}授权|转载请|谢绝转载|如需转载"
    r"|(?:联系|发送至).{0,12}邮箱|侵权|违法和不良信息"
)
_CALL = re.compile(
    r"点击(?:进入|查看|下载|阅读|领取|上方|下方|这里|链接|关注)|扫(?:码|描|一扫).{0,12}|长按.{0,8}二维码|二维码"
    r"|立即(?:下载|开户|领取|订阅|体验|安装|报名|查看)|下载.{0,12}(?:APP|客户端|App)|(?:尽在|打开|登录|安装).{0,10}(?:APP|客户端|App)"
    r"|关注.{0,10}(?:公众号|微信|微博|我们)|免费(?:阅读|领取|试用|开户)|限时.{0,8}(?:优惠|特惠|抢购|折)|直降\d+元|特惠"
    r"|>>|更多(?:精彩|资讯|内容|报道)|往期(?:回顾|精选)|相关(?:阅读|报道|专题)|推荐阅读|新浪理财大学|金麒麟"
)
_COUNTER = re.compile(
    r"[(]?(?:(?:阅读原文|阅读|评论|点赞|转发|收藏|浏览|分享|在看|跟贴)[数量]?[: ]?"
    r"(?:[\d.]+[万亿]?[+]?[次条人]?)?[ |/,]?)+[)]?"
)
_QUOTE_LINE = re.compile(r"[(]?[-+]?[\d.]+,[-+]?[\d.]+,[-+]?[\d.]+%[)]?")


def furniture(line: str) -> bool:
    """Whether a spelled line or sentence is a field, a notice, a call to do something, or a counter."""
    if len(line) > _LONGEST:
        return False
    whole = (_FIELD, _COUNTER, _QUOTE_LINE)
    return any(pattern.fullmatch(line) for pattern in whole) or bool(_NOTICE.search(line) or _CALL.search(line))
